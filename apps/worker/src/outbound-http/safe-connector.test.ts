import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Agent, request } from "undici";
import { parseAllowedHosts } from "./allowed-hosts.ts";
import { createSafeConnector, type Lookup } from "./safe-connector.ts";

describe("a name", () => {
  let server: Server;
  let port = 0;
  let requests = 0;
  beforeAll(async () => {
    server = createServer((_, response) => {
      requests += 1;
      response.end("ok");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function get(lookup: Lookup, allowed: string): Promise<number> {
    const agent = new Agent({
      connect: createSafeConnector(parseAllowedHosts(allowed).allowed, lookup),
    });
    try {
      const url = `http://rebind.example:${port}/`;
      const response = await request(url, { dispatcher: agent });
      await response.body.dump();
      return response.statusCode;
    } finally {
      await agent.destroy();
    }
  }

  const answers =
    (...addresses: string[]): Lookup =>
    () =>
      Promise.resolve(addresses.map((address) => ({ address })));

  it.each([["127.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["8.8.8.8", "127.0.0.1"]])(
    "is refused when one of its answers is not public: %s",
    async (...addresses) => {
      await expect(get(answers(...addresses), "")).rejects.toThrow("is not a public address");
      expect(requests).toBe(0);
    },
  );

  it("is looked up once, and connected to at the address that was checked", async () => {
    let lookups = 0;
    const rebinding: Lookup = () => {
      lookups += 1;
      return Promise.resolve([{ address: lookups === 1 ? "127.0.0.1" : "127.0.0.2" }]);
    };
    expect(await get(rebinding, "127.0.0.1")).toBe(200);
    expect(lookups).toBe(1);
  });

  it("is judged anew by each connection: an answer that was good is good for one", async () => {
    let lookups = 0;
    const turning: Lookup = () => {
      lookups += 1;
      return Promise.resolve([{ address: lookups === 1 ? "127.0.0.1" : "127.0.0.2" }]);
    };
    const connect = createSafeConnector(parseAllowedHosts("127.0.0.1").allowed, turning);
    // No keep-alive: the second request needs a connection of its own.
    const agent = new Agent({ connect, pipelining: 0 });
    const before = requests;
    const send = () => request(`http://turning.example:${port}/`, { dispatcher: agent });
    await (await send()).body.dump();
    await expect(send()).rejects.toThrow("turning.example (127.0.0.2) is not a public address");
    expect(requests).toBe(before + 1);
    await agent.destroy();
  });

  it("is tried at each of its addresses", async () => {
    expect(await get(answers("127.0.0.9", "127.0.0.1"), "127.0.0.0/8")).toBe(200);
    await expect(get(answers("127.0.0.8", "127.0.0.9"), "127.0.0.0/8")).rejects.toThrow(
      /127\.0\.0\.8.*127\.0\.0\.9/,
    );
    await expect(get(answers(), "")).rejects.toThrow("rebind.example has no address");
  });
});
