// What callers without a good key, and deliberately slow ones, can cost.
import { generateApiKey } from "@truerun/shared/api-keys";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";
import { type EndpointRequest, requestEveryEndpoint, send } from "../testing/every-endpoint.ts";
import { connectRaw, type RawConnection, toHead } from "../testing/raw-connection.ts";

const TWO_MEGABYTES = 2 * 1024 * 1024;

let rig: TestRig;
let requests: EndpointRequest[];
const connections: RawConnection[] = [];

beforeAll(async () => {
  rig = await createTestRig({ REQUEST_TIMEOUT_MS: "3000" });
  const { name } = await defineWorkflow(rig);
  requests = requestEveryEndpoint({
    workflow_name: name,
    workflow_run_id: `cbwr_${"0".repeat(32)}`,
    step_id: `cbwrs_${"0".repeat(32)}`,
  });
});
afterEach(() => {
  rig.databaseProxy.restore();
  for (const connection of connections.splice(0)) connection.close();
});
afterAll(async () => {
  await rig.close();
});

async function connect(gateway: 0 | 1 = 0): Promise<RawConnection> {
  const connection = await connectRaw(rig.gateways[gateway].port);
  connections.push(connection);
  return connection;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const junk = `${generateApiKey().text.slice(0, -6)}000000`;

describe("a key that cannot be one", () => {
  test("is refused without the database, by every endpoint", async () => {
    rig.databaseProxy.freeze();
    for (const [at, request] of requests.entries()) {
      const gateway = rig.gateways[at % 2 === 0 ? 0 : 1];
      const { status } = await send(gateway, request, { key: junk });
      expect([request.name, status]).toEqual([request.name, 401]);
    }
    // A well-formed key is looked up, and fails: so the database was not asked about the others.
    const request = { method: "GET", path: "/v1/utils/authtest", key: generateApiKey().text };
    const answer = await rig.gateways[0].send(request.method, request.path, { key: request.key });
    expect(answer.status).toBe(503);
  });
});

describe("a body", () => {
  const announced = { "content-type": "application/json", "content-length": `${TWO_MEGABYTES}` };

  test.each<[who: string, status: number, headers: () => Record<string, string>]>([
    ["no key", 401, () => ({})],
    ["what cannot be a key", 401, () => bearer(junk)],
    ["an unknown key", 401, () => bearer(generateApiKey().text)],
  ])("of a caller with %s is not waited for by any endpoint: %i", async (_, status, headers) => {
    for (const { name, method, path } of requests) {
      const connection = await connect();
      connection.write(toHead(method, path, { headers: { ...announced, ...headers() } }));
      const answer = await connection.receive("\r\n\r\n");
      expect([name, answer.split("\r\n")[0]]).toEqual([name, `HTTP/1.1 ${status} Unauthorized`]);
      connection.close();
    }
  });

  test("of a caller without the scope is not waited for", async () => {
    const changing = requests.filter(({ endpoint }) => endpoint.access !== "any_key");
    expect(changing.length).toBeGreaterThan(0);
    for (const { method, path } of changing) {
      const connection = await connect();
      const headers = { ...announced, ...bearer(rig.org.plainKey) };
      connection.write(toHead(method, path, { headers }));
      expect(await connection.receive("\r\n\r\n")).toMatch(/^HTTP\/1.1 403 /);
      connection.close();
    }
  });

  test("that nobody wanted may end, and is cut when it goes on", async () => {
    const request = { headers: { ...announced, "content-length": "10" } };
    const short = await connect();
    short.write(toHead("POST", "/v1/workflows/x/run", request));
    await short.receive('{"detail":"Not authenticated"}');
    short.write("0123456789");
    short.write(toHead("GET", "/healthz"));
    await short.receive("HTTP/1.1 200 ");

    const endless = await connect();
    endless.write(toHead("POST", "/v1/workflows/x/run", { headers: announced }));
    await endless.receive('{"detail":"Not authenticated"}');
    await waitFor("the connection to be cut", () => {
      endless.write("x".repeat(100));
      return endless.isClosed();
    });
  });

  test("that its caller asks about first is asked for after the credential is known", async () => {
    const path = requests.find(({ name }) => name.endsWith("/run"))?.path ?? "";
    const headers = { "content-type": "application/json", "content-length": "2" };
    const asked = { ...headers, expect: "100-continue" };
    const stranger = await connect();
    stranger.write(toHead("POST", path, { headers: { ...asked, ...bearer(junk) } }));
    await waitFor("the end of the connection", () => stranger.isClosed());
    expect(stranger.received()).toMatch(/^HTTP\/1.1 401 /);
    expect(stranger.received()).not.toContain("100 Continue");

    const known = await connect();
    known.write(toHead("POST", path, { headers: { ...asked, ...bearer(rig.org.key) } }));
    expect(await known.receive("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    known.write("{}");
    await known.receive("HTTP/1.1 201 ");
  });
});

describe("a caller that takes its time", () => {
  /** Sends a piece at each poll, until the connection is closed. */
  async function dribble(connection: RawConnection, piece: string): Promise<string> {
    await waitFor("the connection to be closed", () => {
      connection.write(piece);
      return connection.isClosed();
    });
    return connection.received();
  }

  const TIMED_OUT = /^HTTP\/1.1 408 [\s\S]*X-Request-Id: [\s\S]*"code":"request_timeout"/;

  test("with its headers is cut off, with a word about why", async () => {
    const connection = await connect();
    connection.write(toHead("GET", "/healthz", { end: false }));
    expect(await dribble(connection, "a")).toMatch(TIMED_OUT);
  });

  test("with its body is cut off, with a word about why", async () => {
    const connection = await connect();
    const path = requests.find(({ name }) => name.endsWith("/run"))?.path ?? "";
    const headers = {
      ...bearer(rig.org.key),
      "content-type": "application/json",
      "transfer-encoding": "chunked",
    };
    connection.write(toHead("POST", path, { headers }));
    expect(await dribble(connection, "1\r\n \r\n")).toMatch(TIMED_OUT);
  });

  test("to say anything at all is cut off", async () => {
    const connection = await connect();
    await waitFor("the connection to be closed", () => connection.isClosed());
  });

  test("keeps nobody else waiting, however many they are", async () => {
    const slow = await Promise.all(Array.from({ length: 300 }, () => connect()));
    for (const connection of slow) {
      connection.write(toHead("POST", "/v1/workflows/x/run", { end: false }));
    }
    const { status } = await rig.gateways[0].send("GET", "/v1/utils/authtest", {
      key: rig.org.key,
    });
    expect(status).toBe(200);
    expect(slow.some((connection) => !connection.isClosed())).toBe(true);
    await waitFor("all of them to be cut off", () =>
      slow.every((connection) => connection.isClosed()),
    );
  });
});

describe("headers", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, "b"]));

  test("beyond a hundred are a 431, and none is dropped in silence", async () => {
    const [few, all] = [await connect(), await connect()];
    const close = { connection: "close" };
    // Plus three more: host, credential and `connection: close`.
    few.write(
      toHead("GET", "/v1/utils/authtest", {
        headers: { ...many(97), ...bearer(rig.org.key), ...close },
      }),
    );
    await few.receive("HTTP/1.1 200 ");
    all.write(
      toHead("GET", "/v1/utils/authtest", {
        headers: { ...many(98), ...bearer(rig.org.key), ...close },
      }),
    );
    expect(await all.receive("headers_too_large")).toMatch(/^HTTP\/1.1 431 /);
  });

  test.each([
    ["two lengths", { "content-length": "4", "Content-Length": "5" }],
    ["a length and chunks", { "content-length": "4", "transfer-encoding": "chunked" }],
    ["an encoding that hides chunks", { "transfer-encoding": "chunked, identity" }],
    ["a length that is none", { "content-length": "4, 4" }],
  ])("that two servers could read in two ways are refused: %s", async (_, headers) => {
    const connection = await connect();
    const path = requests.find(({ name }) => name.endsWith("/run"))?.path ?? "";
    connection.write(toHead("POST", path, { headers: { ...headers, ...bearer(rig.org.key) } }));
    connection.write(`0\r\n\r\n${toHead("GET", "/healthz")}`);
    await waitFor("the end of the connection", () => connection.isClosed());
    expect(connection.received()).toMatch(/^HTTP\/1.1 400 /);
    expect(connection.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});
