import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { CancelledFailure } from "@temporalio/common";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failureOf, runComponent } from "../component-kit/run-component.ts";
import { TestServer } from "../outbound-http/testing/test-server.ts";
import httpRequest from "./http-request.ts";

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.listen();
});
beforeEach(() => {
  server.seen.length = 0;
});
afterAll(() => {
  server.close();
});

function send(input: object, allowed = `127.0.0.1:${server.port}`) {
  return runComponent(httpRequest, {
    rawInput: { method: "GET", ...input },
    env: { HTTP_ALLOWED_PRIVATE_HOSTS: allowed },
  });
}

describe("requests", () => {
  it("reach an allow-listed host by address, range and name", async () => {
    for (const allowed of ["127.0.0.1", "127.0.0.0/8", `127.0.0.1:${server.port}`]) {
      expect((await send({ url: server.at("/") }, allowed)).output).toMatchObject({
        status: 200,
        body: "ok",
      });
    }
    const named = await send(
      { url: `http://localhost:${server.port}/` },
      `localhost:${server.port}`,
    );
    expect(named.output).toMatchObject({ status: 200 });
  });

  it("leave the answer's body out where it is not wanted", async () => {
    const { output } = await send({ url: server.at("/"), keep_body: false });
    expect(output).toMatchObject({ status: 200, body: null });
  });

  it("carry query, headers, JSON and the key that is equal across attempts", async () => {
    await send({
      method: "POST",
      url: server.at("/x?a=1"),
      headers: { "X-Api-Key": "k" },
      query: { b: ["2", 3], c: true, d: null },
      body: { n: 1 },
    });
    expect(server.seen[0]).toMatchObject({
      method: "POST",
      url: "/x?a=1&b=2&b=3&c=true",
      body: '{"n":1}',
    });
    expect(server.seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-api-key": "k",
      "idempotency-key": "cbwr_test:step",
    });
    await send({
      method: "PUT",
      url: server.at("/"),
      headers: { "IDEMPOTENCY-KEY": "own" },
      body: "text",
    });
    expect(server.seen[1]?.headers).toMatchObject({
      "idempotency-key": "own",
      "content-type": "text/plain; charset=utf-8",
    });
    await send({ url: server.at("/") });
    expect(server.seen[2]?.headers["idempotency-key"]).toBeUndefined();
  });

  it.each([
    [{ headers: { Host: "internal" } }, "with.headers.Host"],
    [{ headers: { "X-A": "a\r\nX-B: b" } }, 'with.headers["X-A"]'],
    [{ headers: { "bad name": "a" } }, 'with.headers["bad name"]'],
    [{ body: { a: 1 } }, "with.body"],
    [{ method: "TRACE" }, "with.method"],
    [{ uri: "x" }, "with: "],
  ])("that are not well formed are refused: %j", async (input, place) => {
    const failure = await failureOf(send({ url: server.at("/"), ...input }));
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    expect(failure.message).toContain(place);
    expect(server.seen).toEqual([]);
  });
});

describe("answers", () => {
  it("are parsed when they are JSON, with lower-cased headers", async () => {
    const { output } = await send({ url: server.at("/json") });
    expect(output).toMatchObject({ status: 200, headers: { "set-cookie": "a=1, b=2" } });
    expect(JSON.stringify(output)).toContain('"body":{"__proto__":{"x":1},"n":1}');
  });

  it("are text in their charset, null when empty, a data: URL when binary", async () => {
    expect((await send({ url: server.at("/latin1") })).output).toMatchObject({ body: "grüß" });
    expect((await send({ url: server.at("/empty") })).output).toMatchObject({
      status: 204,
      body: null,
    });
    const binary = "data:application/octet-stream;base64,/9gA/g==";
    expect((await send({ url: server.at("/bytes") })).output).toMatchObject({ body: binary });
  });

  it("are decompressed, and capped before and after", async () => {
    expect((await send({ url: server.at("/gzip/1000") })).output).toMatchObject({
      body: "z".repeat(1_000),
    });
    for (const path of ["/large/1048577", "/gzip/5000000"]) {
      const failure = await failureOf(send({ url: server.at(path) }));
      expect(failure).toMatchObject({ type: "ResponseTooLarge", nonRetryable: true });
    }
  });

  it.each([400, 401, 403, 404, 409, 410, 422])("of status %i are not retried", async (status) => {
    const failure = await failureOf(send({ url: server.at(`/status/${status}?token=t`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: true });
    expect(failure.message).toContain(
      `GET ${server.at(`/status/${status}`)} answered ${status}: the reason éé`,
    );
    expect(failure.message.length).toBeLessThan(400);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])("of status %i are retried", async (status) => {
    const failure = await failureOf(send({ url: server.at(`/status/${status}`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: false });
  });

  it("say when to come back, within reason", async () => {
    const failure = await failureOf(send({ url: server.at("/status/429?after=7") }));
    expect(failure.nextRetryDelay).toBe(7_000);
    const later = await failureOf(send({ url: server.at("/status/503?after=86400") }));
    expect(later.nextRetryDelay).toBe(300_000);
  });

  it("that break off, and servers that are gone, are retried", async () => {
    expect(await failureOf(send({ url: server.at("/broken") }))).toMatchObject({
      type: "NetworkError",
      nonRetryable: false,
    });
    const closed = await failureOf(send({ url: "http://127.0.0.1:1/" }, "127.0.0.1"));
    expect(closed).toMatchObject({ type: "NetworkError", nonRetryable: false });
    expect(closed.message).toContain("ECONNREFUSED");
  });
});

describe("cancellation", () => {
  async function cancelOnce(url: string, started: () => Promise<void>): Promise<unknown> {
    const canceler = new AbortController();
    const work = runComponent(httpRequest, {
      input: { method: "GET", url },
      env: { HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1" },
      signal: canceler.signal,
    }).catch((error: unknown) => error);
    await started();
    canceler.abort();
    return work;
  }

  it("ends a request that waits for its answer", async () => {
    const error = await cancelOnce(server.at("/hang"), () =>
      expect
        .poll(() => server.seen.length, { timeout: 5_000, interval: 10 })
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
