import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResultEnvelope } from "../component-activity.ts";
import { createEnvironment, runComponent } from "../component-harness.ts";
import { parseAllowedHosts } from "../outbound-http/allowed-hosts.ts";
import httpRequest from "./http-request.ts";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

const seen: Seen[] = [];
let port = 0;
let otherPort = 0;
const servers: Server[] = [];

/** Two servers of one behaviour, so that a redirect can lead to another origin. */
async function listen(): Promise<number> {
  const server = createServer((request, response) => void answer(request, response));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  port = await listen();
  otherPort = await listen();
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url = "", headers } = request;
  seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
  const { pathname, searchParams } = new URL(url, "http://test");
  const [, what = "", detail = ""] = pathname.split("/");
  switch (what) {
    case "json":
      response.setHeader("Content-Type", "application/problem+json; charset=utf-8");
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.end('{"__proto__":{"x":1},"n":1}');
      return;
    case "status":
      response.writeHead(Number(detail), { "Retry-After": searchParams.get("after") ?? "0" });
      response.end(`the   reason\n${"é".repeat(500)}`);
      return;
    case "redirect": {
      const location = searchParams.get("to") ?? "";
      response.writeHead(Number(detail), { Location: location }).end("moved");
      return;
    }
    case "bytes":
      response.end(Buffer.from([0xff, 0xd8, 0x00, 0xfe]));
      return;
    case "latin1":
      response.setHeader("Content-Type", "text/plain; charset=iso-8859-1");
      response.end(Buffer.from("gr\u00fc\u00df", "latin1"));
      return;
    case "gzip":
      response.setHeader("Content-Encoding", "gzip");
      response.end(gzipSync(Buffer.alloc(Number(detail), "z")));
      return;
    case "large":
      response.end(Buffer.alloc(Number(detail), "z"));
      return;
    case "empty":
      response.writeHead(204).end();
      return;
    case "broken":
      response.write("begin");
      response.destroy();
      return;
    case "hang":
      return;
    default:
      response.end("ok");
  }
}

function send(input: object, allowed = `127.0.0.1:${port},127.0.0.1:${otherPort}`) {
  const { allowed: allowedPrivateHosts } = parseAllowedHosts(allowed);
  return runComponent(
    httpRequest,
    { method: "GET", ...input },
    { config: { allowedPrivateHosts } },
  );
}

const at = (path: string): string => `http://127.0.0.1:${port}${path}`;

async function failureOf(work: Promise<ResultEnvelope>): Promise<ApplicationFailure> {
  const error: unknown = await work.then(
    ({ output }) => new Error(`it succeeded with ${JSON.stringify(output)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
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
  ];

  it.each(hosts)("%s", async (host) => {
    const failure = await failureOf(send({ url: `http://${host}:${port}/` }, ""));
    expect(failure).toMatchObject({ type: "BlockedAddress", nonRetryable: true });
    expect(seen).toEqual([]);
  });

  it.each(
    hosts.filter(
      (host) => !["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001"].includes(host),
    ),
  )("%s after a redirect", async (host) => {
    const to = encodeURIComponent(`http://${host}:${otherPort}/`);
    const failure = await failureOf(
      send({ url: at(`/redirect/302?to=${to}`) }, `127.0.0.1:${port}`),
    );
    expect(failure).toMatchObject({ type: "BlockedAddress", nonRetryable: true });
    expect(seen).toHaveLength(1);
  });

  it("another port of an allowed host, in every form of its address", async () => {
    for (const host of ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]"]) {
      const to = encodeURIComponent(`http://${host}:${otherPort}/`);
      const failure = await failureOf(
        send({ url: at(`/redirect/307?to=${to}`) }, `127.0.0.1:${port}`),
      );
      expect(failure.type).toBe("BlockedAddress");
    }
  });

  it.each([
    ["file:///etc/passwd", "Only http and https"],
    ["ftp://example.com/", "Only http and https"],
    ["http://user:secret@127.0.0.1/", "must not hold credentials"],
    ["not a url", "is no URL"],
    ["http://[::1", "is no URL"],
  ])("%s is refused", async (url, message) => {
    const failure = await failureOf(send({ url }));
    expect(failure).toMatchObject({ type: "InvalidUrl", nonRetryable: true });
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain("secret");
  });
});

describe("requests", () => {
  it("reach an allow-listed host by address, range and name", async () => {
    for (const allowed of ["127.0.0.1", "127.0.0.0/8", `127.0.0.1:${port}`]) {
      expect((await send({ url: at("/") }, allowed)).output).toMatchObject({
        status: 200,
        body: "ok",
      });
    }
    const named = await send({ url: `http://localhost:${port}/` }, `localhost:${port}`);
    expect(named.output).toMatchObject({ status: 200 });
  });

  it("carry query, headers, JSON and the key that is equal across attempts", async () => {
    await send({
      method: "POST",
      url: at("/x?a=1"),
      headers: { "X-Api-Key": "k" },
      query: { b: ["2", 3], c: true, d: null },
      body: { n: 1 },
    });
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/x?a=1&b=2&b=3&c=true",
      body: '{"n":1}',
    });
    expect(seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-api-key": "k",
      "idempotency-key": "cbwr_test:step",
    });
    await send({
      method: "PUT",
      url: at("/"),
      headers: { "IDEMPOTENCY-KEY": "own" },
      body: "text",
    });
    expect(seen[1]?.headers).toMatchObject({
      "idempotency-key": "own",
      "content-type": "text/plain; charset=utf-8",
    });
    await send({ url: at("/") });
    expect(seen[2]?.headers["idempotency-key"]).toBeUndefined();
  });

  it.each([
    [{ headers: { Host: "internal" } }, "with.headers.Host"],
    [{ headers: { "X-A": "a\r\nX-B: b" } }, 'with.headers["X-A"]'],
    [{ headers: { "bad name": "a" } }, 'with.headers["bad name"]'],
    [{ body: { a: 1 } }, "with.body"],
    [{ method: "TRACE" }, "with.method"],
    [{ uri: "x" }, "with: "],
  ])("that are not well formed are refused: %j", async (input, place) => {
    const failure = await failureOf(send({ url: at("/"), ...input }));
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    expect(failure.message).toContain(place);
    expect(seen).toEqual([]);
  });
});

describe("answers", () => {
  it("are parsed when they are JSON, with lower-cased headers", async () => {
    const { output } = await send({ url: at("/json") });
    expect(output).toMatchObject({ status: 200, headers: { "set-cookie": "a=1, b=2" } });
    expect(JSON.stringify(output)).toContain('"body":{"__proto__":{"x":1},"n":1}');
  });

  it("are text in their charset, null when empty, a data: URL when binary", async () => {
    expect((await send({ url: at("/latin1") })).output).toMatchObject({ body: "grüß" });
    expect((await send({ url: at("/empty") })).output).toMatchObject({ status: 204, body: null });
    const binary = "data:application/octet-stream;base64,/9gA/g==";
    expect((await send({ url: at("/bytes") })).output).toMatchObject({ body: binary });
  });

  it("are decompressed, and capped before and after", async () => {
    expect((await send({ url: at("/gzip/1000") })).output).toMatchObject({
      body: "z".repeat(1_000),
    });
    for (const path of ["/large/1048577", "/gzip/5000000"]) {
      const failure = await failureOf(send({ url: at(path) }));
      expect(failure).toMatchObject({ type: "ResponseTooLarge", nonRetryable: true });
    }
  });

  it.each([400, 401, 403, 404, 409, 410, 422])("of status %i are not retried", async (status) => {
    const failure = await failureOf(send({ url: at(`/status/${status}?token=t`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: true });
    expect(failure.message).toContain(
      `GET ${at(`/status/${status}`)} answered ${status}: the reason éé`,
    );
    expect(failure.message.length).toBeLessThan(400);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])("of status %i are retried", async (status) => {
    const failure = await failureOf(send({ url: at(`/status/${status}`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: false });
  });

  it("say when to come back, within reason", async () => {
    const failure = await failureOf(send({ url: at("/status/429?after=7") }));
    expect(failure.nextRetryDelay).toBe(7_000);
    const later = await failureOf(send({ url: at("/status/503?after=86400") }));
    expect(later.nextRetryDelay).toBe(300_000);
  });

  it("that break off, and servers that are gone, are retried", async () => {
    expect(await failureOf(send({ url: at("/broken") }))).toMatchObject({
      type: "NetworkError",
      nonRetryable: false,
    });
    const closed = await failureOf(send({ url: "http://127.0.0.1:1/" }, "127.0.0.1"));
    expect(closed).toMatchObject({ type: "NetworkError", nonRetryable: false });
    expect(closed.message).toContain("ECONNREFUSED");
  });
});

describe("redirects", () => {
  const to = (status: number, target: string): string =>
    at(`/redirect/${status}?to=${encodeURIComponent(target)}`);

  it("are followed within the origin with everything", async () => {
    const headers = { authorization: "Bearer x" };
    await send({ method: "PUT", url: to(307, "/next"), headers, body: "b" });
    expect(seen[1]).toMatchObject({ method: "PUT", url: "/next", body: "b" });
    expect(seen[1]?.headers).toMatchObject({
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
      seen.length = 0;
      await send({ method, url: to(status, "/next"), body: "b" });
      expect(seen[1]).toMatchObject({ method: expected, body: expected === "GET" ? "" : "b" });
    }
  });

  it("to another origin take no header along that may be a secret", async () => {
    const headers = {
      Authorization: "Bearer x",
      Cookie: "c",
      "X-Api-Key": "k",
      Accept: "text/csv",
    };
    await send({ url: to(302, `http://127.0.0.1:${otherPort}/next`), headers });
    expect(seen[1]?.headers).toMatchObject({ accept: "text/csv" });
    for (const name of ["authorization", "cookie", "x-api-key"]) {
      expect(seen[1]?.headers[name]).toBeUndefined();
    }
  });

  it("end after five, and at URLs that cannot be requested", async () => {
    const loop = await failureOf(send({ url: to(302, "/redirect/302?to=") }));
    expect(loop).toMatchObject({ type: "TooManyRedirects", nonRetryable: true });
    expect(seen).toHaveLength(6);
    const file = await failureOf(send({ url: to(302, "file:///etc/passwd") }));
    expect(file).toMatchObject({ type: "InvalidUrl", nonRetryable: true });
  });

  it("that lead nowhere are answers", async () => {
    expect((await send({ url: at("/status/304") })).output).toMatchObject({ status: 304 });
  });
});

describe("cancellation", () => {
  async function cancelOnce(url: string, started: () => Promise<void>): Promise<unknown> {
    const environment = createEnvironment();
    const { allowed } = parseAllowedHosts("127.0.0.1");
    const work = runComponent(
      httpRequest,
      { method: "GET", url },
      {
        environment,
        config: { allowedPrivateHosts: allowed },
      },
    ).catch((error: unknown) => error);
    await started();
    environment.cancel("CANCELLED");
    return work;
  }

  it("ends a request that waits for its answer", async () => {
    const error = await cancelOnce(at("/hang"), () =>
      expect
        .poll(() => seen.length, { timeout: 5_000, interval: 10 })
        .toBe(1)
        .then(() => undefined),
    );
    expect(error).toBeInstanceOf(CancelledFailure);
  });

  it("ends a request that still connects", async () => {
    let isConnected = false;
    // Takes the connection and never answers the TLS handshake.
    const silent = createTcpServer(() => {
      isConnected = true;
    });
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const startedAt = Date.now();
    const error = await cancelOnce(url, () =>
      expect
        .poll(() => isConnected, { timeout: 5_000, interval: 10 })
        .toBe(true)
        .then(() => undefined),
    );
    expect(error).toBeInstanceOf(CancelledFailure);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    silent.close();
  });
});
