import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failureOf, runComponent } from "../component-kit/run-component.ts";
import { TestServer } from "./testing/test-server.ts";
import httpRequest from "../components/http-request.ts";

let server: TestServer;
/** Of another origin. */
let other: TestServer;

beforeAll(async () => {
  server = await TestServer.listen();
  other = await TestServer.listen();
});
beforeEach(() => {
  server.seen.length = 0;
  other.seen.length = 0;
});
afterAll(() => {
  server.close();
  other.close();
});

function send(input: object, allowed = `127.0.0.1:${server.port},127.0.0.1:${other.port}`) {
  return runComponent(httpRequest, {
    rawInput: { method: "GET", ...input },
    env: { HTTP_ALLOWED_PRIVATE_HOSTS: allowed },
  });
}

describe("addresses that must not be reached", () => {
  const hosts = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "0.0.0.0",
    "0",
    "[::]",
    "169.254.169.254",
    "10.0.0.1",
    "0177.0.0.1",
    "0x7f000001",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "0xa9fea9fe",
    "0xA9.254.0251.254",
    "[::ffff:169.254.169.254]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "192.168.0.1",
    "255.255.255.255",
  ];

  /** Forms of the address that the list below allows. */
  const sameAddress = (host: string): boolean => {
    const { hostname } = new URL(`http://${host}/`);
    return ["127.0.0.1", "127.0.0.1."].includes(hostname);
  };

  it.each(hosts)("%s", async (host) => {
    const failure = await failureOf(send({ url: `http://${host}:${server.port}/` }, ""));
    expect(failure).toMatchObject({ type: "BlockedAddress", nonRetryable: true });
    expect(server.seen).toEqual([]);
  });

  it.each(hosts.filter((host) => !sameAddress(host)))("%s after a redirect", async (host) => {
    const to = encodeURIComponent(`http://${host}:${other.port}/`);
    const failure = await failureOf(
      send({ url: server.at(`/redirect/302?to=${to}`) }, `127.0.0.1:${server.port}`),
    );
    expect(failure).toMatchObject({ type: "BlockedAddress", nonRetryable: true });
    expect(server.seen).toHaveLength(1);
    expect(other.seen).toEqual([]);
  });

  it("another server.port of an allowed host, in every form of its address", async () => {
    for (const host of ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]"]) {
      const to = encodeURIComponent(`http://${host}:${other.port}/`);
      const failure = await failureOf(
        send({ url: server.at(`/redirect/307?to=${to}`) }, `127.0.0.1:${server.port}`),
      );
      expect(failure.type).toBe("BlockedAddress");
    }
  });

  it.each([
    ["file:///etc/passwd", "Only http and https"],
    ["ftp://example.com/", "Only http and https"],
    ["http://user:secret@127.0.0.1/", "must not hold credentials"],
    ["not a url", "is not a URL"],
    ["http://[::1", "is not a URL"],
  ])("%s is refused", async (url, message) => {
    const failure = await failureOf(send({ url }));
    expect(failure).toMatchObject({ type: "InvalidUrl", nonRetryable: true });
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain("secret");
  });
});

describe("redirects", () => {
  const to = (status: number, target: string): string => server.redirectTo(status, target);

  it("are followed within the origin with everything", async () => {
    const headers = { authorization: "Bearer x" };
    await send({ method: "PUT", url: to(307, "/next"), headers, body: "b" });
    expect(server.seen[1]).toMatchObject({ method: "PUT", url: "/next", body: "b" });
    expect(server.seen[1]?.headers).toMatchObject({
      authorization: "Bearer x",
      "idempotency-key": "cbwr_test:step",
    });
  });

  it("become a GET without body where fetch does it", async () => {
    for (const [method, status, expected] of [
      ["POST", 302, "GET"],
      ["PUT", 303, "GET"],
      ["PUT", 302, "PUT"],
      ["POST", 308, "POST"],
    ] as const) {
      server.seen.length = 0;
      await send({ method, url: to(status, "/next"), body: "b" });
      expect(server.seen[1]).toMatchObject({
        method: expected,
        body: expected === "GET" ? "" : "b",
      });
    }
  });

  it("to another origin take no header along that may be a secret", async () => {
    const headers = {
      Authorization: "Bearer x",
      Cookie: "c",
      "X-Api-Key": "k",
      Accept: "text/csv",
    };
    await send({ url: to(302, `http://127.0.0.1:${other.port}/next`), headers });
    expect(other.seen[0]?.headers).toMatchObject({ accept: "text/csv" });
    for (const name of ["authorization", "cookie", "x-api-key"]) {
      expect(other.seen[0]?.headers[name]).toBeUndefined();
    }
  });

  it("to another origin take the key along by which it tells a repeat", async () => {
    await send({ method: "POST", url: to(307, `http://127.0.0.1:${other.port}/next`) });
    expect(other.seen[0]?.headers).toMatchObject({ "idempotency-key": "cbwr_test:step" });
  });

  it("end after five, and at URLs that cannot be requested", async () => {
    const loop = await failureOf(send({ url: to(302, "/redirect/302?to=") }));
    expect(loop).toMatchObject({ type: "TooManyRedirects", nonRetryable: true });
    expect(server.seen).toHaveLength(6);
    const file = await failureOf(send({ url: to(302, "file:///etc/passwd") }));
    expect(file).toMatchObject({ type: "InvalidUrl", nonRetryable: true });
  });

  it("that lead nowhere are answers", async () => {
    expect((await send({ url: server.at("/status/304") })).output).toMatchObject({ status: 304 });
  });
});
