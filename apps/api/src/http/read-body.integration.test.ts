import { randomUUID } from "node:crypto";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import express from "express";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { echo, type SendOptions } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";
import { createBodyReader } from "./read-body.ts";

const MAX_BODY_BYTES = 64 * 1024;
const name = `w-${randomUUID()}`;
const runPath = `/v1/workflows/${name}/run`;

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
  const options = { key: rig.org.key, body: echo() };
  await rig.gateways[0].send("PUT", `/v1/workflows/${name}`, options);
});
afterAll(async () => {
  await rig.close();
});

function send(method: string, path: string, options: SendOptions = {}) {
  return rig.gateways[0].send(method, path, { key: rig.org.key, ...options });
}

describe("a body", () => {
  const body = '{"input":{"n":1.0}}';

  test.each([
    ["gzip", gzipSync(body)],
    ["deflate", deflateSync(body)],
    ["br", brotliCompressSync(body)],
    ["X-GZip", gzipSync(body)],
    ["", Buffer.from(body)],
  ])("may be compressed by %j", async (encoding, bytes) => {
    const answer = await send("POST", runPath, {
      body: bytes,
      headers: { "content-encoding": encoding },
    });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.text).toContain('"input":{"n":1.0}}');
  });

  test.each([
    ["plain", {}, (text: string) => Buffer.from(text)],
    ["compressed", { "content-encoding": "gzip" }, (text: string) => gzipSync(text)],
    [
      "grown by its compression",
      { "content-encoding": "gzip" },
      (text: string) => gzipSync(text, { level: 0 }),
    ],
    ["without a length", { "transfer-encoding": "chunked" }, (text: string) => Buffer.from(text)],
  ])("is limited by its decompressed size: %s", async (_, headers, encode) => {
    const toBody = (bytes: number) => encode(`{"s":"${"x".repeat(bytes - '{"s":""}'.length)}"}`);
    const exact = await send("POST", runPath, { body: toBody(MAX_BODY_BYTES), headers });
    expect(exact.status, exact.text).toBe(201);
    const over = await send("POST", runPath, { body: toBody(MAX_BODY_BYTES + 1), headers });
    expect([over.status, over.json]).toMatchObject([
      413,
      { detail: { code: "payload_too_large" } },
    ]);
    expect((await send("GET", "/v1/utils/authtest")).status).toBe(200);
  });

  test.each([
    ["application/x-www-form-urlencoded", 415],
    ["text/json", 415],
    ["application/json; charset=iso-8859-1", 415],
    ["application/json; charset=utf-16", 415],
    ["", 415],
    ["application/json; charset=UTF-8", 201],
    ['Application/JSON; x=1; charset="utf-8"', 201],
    ["application/vnd.acme+json", 201],
    ['application/json; profile="a;charset=latin1"', 201],
  ])("of the type %j is a %i", async (contentType, status) => {
    const answer = await send("POST", runPath, { body, headers: { "content-type": contentType } });
    expect(answer.status, answer.text).toBe(status);
    if (status === 415) {
      expect(answer.json).toMatchObject({ detail: { code: "unsupported_media_type" } });
    }
  });

  test("in an unknown encoding is a 415, an empty one of any type or encoding is none", async () => {
    const zstd = await send("POST", runPath, { body, headers: { "content-encoding": "zstd" } });
    expect(zstd.status).toBe(415);
    const empty = await send("POST", runPath, {
      body: "",
      headers: { "content-type": "text/plain" },
    });
    expect(empty.status, empty.text).toBe(201);
    const headers = { "content-encoding": "gzip" };
    expect((await send("POST", runPath, { body: "", headers })).status).toBe(201);
    const chunked = { ...headers, "transfer-encoding": "chunked" };
    const nothing = await send("POST", runPath, { body: "", headers: chunked });
    expect(nothing.status, nothing.text).toBe(201);
  });

  test.each([
    ["corrupt", Buffer.from("this is no gzip stream")],
    ["cut short", gzipSync(body).subarray(0, 20)],
  ])("of compressed data that is %s is a 422, except in a repeat", async (_, bytes) => {
    const key = randomUUID();
    const corrupt = {
      body: bytes,
      headers: { "content-encoding": "gzip", "idempotency-key": key },
    };
    const answer = await send("POST", runPath, corrupt);
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([{ type: "json_invalid" }]);
    const headers = { "idempotency-key": key };
    const first = await send("POST", runPath, { headers });
    expect(first.status, first.text).toBe(201);
    const repeat = await send("POST", runPath, corrupt);
    expect([repeat.status, repeat.text]).toEqual([201, first.text]);
    expect(repeat.headers).toMatchObject({
      "idempotent-replayed": "true",
      "idempotency-mismatch": "true",
    });
    const text = { "content-type": "text/plain" };
    const wrong = { ...corrupt, headers: { ...corrupt.headers, ...text } };
    expect((await send("POST", runPath, wrong)).status).toBe(415);
  });

  test("of corrupt data is told along with what else is wrong", async () => {
    const headers = { "content-encoding": "gzip", "idempotency-key": "a\tb" };
    const answer = await send("POST", runPath, { body: Buffer.from("nothing"), headers });
    expect([answer.status, answer.json["detail"]]).toMatchObject([
      422,
      [{ loc: ["header", "Idempotency-Key"] }, { loc: ["body", 0], type: "json_invalid" }],
    ]);
    const put = await send("PUT", "/v1/workflows/%00", {
      body: Buffer.from("nothing"),
      headers: { "content-encoding": "gzip" },
    });
    expect([put.status, put.json["detail"]]).toMatchObject([
      422,
      [{ loc: ["path", "workflow_name"] }, { loc: ["body", 0] }],
    ]);
  });

  test.each([
    ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["a byte order mark", Buffer.from("\ufeff{}")],
    ["half a million brackets", "[".repeat(MAX_BODY_BYTES)],
  ])("with %s is a 422", async (_, bytes) => {
    const answer = await send("POST", runPath, { body: bytes });
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([{ type: "json_invalid" }]);
  });
});

test("a compressed body whose caller goes away while it is read is incomplete, and not waited for", async () => {
  const reader = createBodyReader(MAX_BODY_BYTES);
  const app = express();
  let isReading = false;
  const read = new Promise<unknown>((resolve) => {
    app.post("/", (req, res) => {
      isReading = true;
      reader.read(req, res).then(resolve, resolve);
    });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const head =
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 999\r\n\r\n";
  socket.write(Buffer.concat([Buffer.from(head), gzipSync('{"input":{}}').subarray(0, 12)]));
  try {
    await waitFor("the reading", () => isReading);
    socket.destroy();
    expect(await read).toMatchObject({ code: "invalid_request" });
  } finally {
    server.close();
  }
});

test("a body whose caller went away before it was read is incomplete, not empty", async () => {
  const reader = createBodyReader(MAX_BODY_BYTES);
  const app = express();
  const read = new Promise<unknown>((resolve, reject) => {
    app.post("/", async (req, res) => {
      // As if its key were being looked up meanwhile, or the whole process had stalled.
      if (!res.closed) await once(res, "close");
      reader.read(req, res).then(resolve, reject);
    });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"input', () =>
    socket.destroy(),
  );
  try {
    await expect(read).rejects.toMatchObject({ code: "invalid_request" });
  } finally {
    server.close();
  }
});
