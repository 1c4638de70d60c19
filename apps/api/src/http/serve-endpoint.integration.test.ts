import { randomUUID } from "node:crypto";
import net from "node:net";
import { generateApiKey } from "@truerun/shared/api-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestKey, echo, type SendOptions } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

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

function send(method: string, path: string, options: SendOptions = {}, gateway: 0 | 1 = 0) {
  return rig.gateways[gateway].send(method, path, { key: rig.org.key, ...options });
}

const INVALID_KEY = { detail: "Invalid or expired API key." };

describe("a credential", () => {
  test.each([
    ["is absent", undefined],
    ["is of another scheme", "Basic dXNlcjpwYXNz"],
    ["has no token", "Bearer"],
    ["is empty", ""],
  ])("that %s is not authenticated", async (_, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await send("GET", "/v1/utils/authtest", { key: null, headers });
    expect([answer.status, answer.json]).toEqual([401, { detail: "Not authenticated" }]);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  test.each([
    ["is malformed", "ak_live_nonsense"],
    ["has something behind it", `${generateApiKey().text} more`],
    ["is unknown", generateApiKey().text],
  ])("that %s is invalid", async (_, key) => {
    const answer = await send("GET", "/v1/utils/authtest", { key });
    expect([answer.status, answer.json]).toEqual([401, INVALID_KEY]);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  test.each(["bearer", "BEARER", "Bearer "])("may name its scheme as %j", async (scheme) => {
    const headers = { authorization: `${scheme} ${rig.org.key}` };
    const answer = await send("GET", "/v1/utils/authtest", { key: null, headers });
    expect([answer.status, answer.json]).toEqual([200, { msg: "Auth successful" }]);
  });

  const requests: [method: string, path: string, options: SendOptions][] = [
    ["GET", "/v1/utils/authtest", {}],
    ["GET", "/v1/workflows/runs?limit=0", {}],
    ["POST", runPath, {}],
    ["POST", runPath, { body: '{"input":3}' }],
    ["POST", runPath, { body: "x".repeat(MAX_BODY_BYTES + 1) }],
    ["POST", runPath, { body: "x", headers: { "content-type": "text/plain" } }],
    ["GET", "/v1/workflows/runs/nope", {}],
    ["PUT", `/v1/workflows/${name}`, { body: echo() }],
    ["DELETE", `/v1/workflows/${randomUUID()}`, {}],
    ["PATCH", `/v1/workflows/${name}`, { body: {} }],
  ];

  test.each([
    ["revoked", { revokedAt: new Date() }],
    ["expired", { expiresAt: new Date(Date.now() - 1_000) }],
  ])(
    "that was just %s is refused by the next request, at every gateway, whatever it asks",
    async (_, data) => {
      const { key, keyId } = await createTestKey(rig.db, {
        orgId: rig.org.orgId,
        scopes: ["workflows:write"],
      });
      for (const gateway of [0, 1] as const) {
        expect((await send("POST", runPath, { key, body: {} }, gateway)).status).toBe(201);
      }
      await rig.db.apiKey.update({ where: { id: keyId }, data });
      for (const [at, [method, path, options]] of requests.entries()) {
        const answer = await send(method, path, { ...options, key }, at % 2 === 0 ? 0 : 1);
        expect([method, path, answer.status, answer.json]).toEqual([
          method,
          path,
          401,
          INVALID_KEY,
        ]);
      }
    },
  );

  test("without the scope may read and run, and changes no definition", async () => {
    const key = rig.org.plainKey;
    for (const [method, path, body] of [
      ["PUT", `/v1/workflows/${name}`, echo()],
      ["PATCH", `/v1/workflows/${name}`, { enabled: true }],
      ["DELETE", `/v1/workflows/${name}`, undefined],
      ["PUT", "/v1/workflows/%00", "x".repeat(MAX_BODY_BYTES + 1)],
    ] as const) {
      const answer = await send(method, path, { key, body });
      expect([answer.status, answer.json]).toMatchObject([
        403,
        { detail: { code: "insufficient_scope" } },
      ]);
    }
    expect((await send("GET", `/v1/workflows/${name}`, { key })).status).toBe(200);
    expect((await send("POST", runPath, { key })).status).toBe(201);
    expect((await send("GET", "/v1/components", { key })).status).toBe(200);
  });
});

describe("a path", () => {
  test.each([
    ["GET", "/v1/nothing-here"],
    ["GET", "/"],
    ["GET", "/v1/Workflows"],
    ["GET", "/v1/workflows/"],
    ["GET", "/v1/workflows/runs/"],
    ["POST", "/v1/workflows//run"],
    ["GET", "/docs/../package.json"],
    ["GET", "/docs/package.json"],
  ])("%s %s is the 404 of the envelope, without a key", async (method, path) => {
    const answer = await send(method, path, { key: null });
    const detail = { code: "not_found", message: "There is nothing at this path." };
    expect([answer.status, answer.json]).toEqual([404, { detail }]);
  });

  test.each([
    ["DELETE", "/v1/utils/authtest", "GET, HEAD"],
    ["GET", runPath, "POST"],
    ["POST", "/v1/workflows/runs", "DELETE, GET, HEAD, PATCH, PUT"],
    ["DELETE", "/v1/workflows/runs/run", "GET, HEAD, POST"],
    ["PUT", `/v1/workflows/runs/cbwr_${"0".repeat(32)}`, "GET, HEAD"],
    ["OPTIONS", "/v1/workflows/x", "DELETE, GET, HEAD, PATCH, PUT"],
    ["PUT", "/v1/workflows", "GET, HEAD"],
  ])("%s %s is a 405 that allows %s", async (method, path, allow) => {
    const answer = await send(method, path, { key: null });
    expect([answer.status, answer.json]).toMatchObject([
      405,
      { detail: { code: "method_not_allowed" } },
    ]);
    expect(answer.headers.allow).toBe(allow);
  });

  test("answers HEAD as it would GET, without the body", async () => {
    const [head, get] = [
      await send("HEAD", `/v1/workflows/${name}`),
      await send("GET", `/v1/workflows/${name}`),
    ];
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  });

  test("of a definition named runs is the list for GET and the definition for the others", async () => {
    expect((await send("PUT", "/v1/workflows/runs", { body: echo() })).status).toBe(201);
    expect((await send("GET", "/v1/workflows/runs")).json).toHaveProperty("total");
    expect((await send("POST", "/v1/workflows/runs/run")).json["workflow_name"]).toBe("runs");
    expect((await send("GET", "/v1/workflows/runs/run")).json).toMatchObject({
      detail: { code: "workflow_run_not_found" },
    });
    const off = await send("PATCH", "/v1/workflows/runs", { body: { enabled: false } });
    expect(off.json["enabled"]).toBe(false);
    expect((await send("DELETE", "/v1/workflows/runs")).status).toBe(204);
  });
});

describe("every answer", () => {
  test.each([
    ["GET", "/v1/utils/authtest", rigKey],
    ["GET", "/v1/nothing", () => null],
    ["GET", "/v1/utils/authtest", () => null],
    ["GET", "/v1/workflows/runs?limit=x", rigKey],
  ])("has the caller's request id: %s %s", async (method, path, key) => {
    const id = "caller's-own/id~1";
    const options = { key: key(), headers: { "x-request-id": id } };
    expect((await send(method, path, options)).headers["x-request-id"]).toBe(id);
    for (const bad of ["with space", "x".repeat(129), ""]) {
      const answer = await send(method, path, { key: key(), headers: { "x-request-id": bad } });
      expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect((await send(method, path, options)).headers).not.toHaveProperty("x-powered-by");
  });

  test("to what is no HTTP is in the envelope too", async () => {
    const text = await exchange("GET /v1/x HTTP/1.1\r\nno header\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(text).toMatch(/X-Request-Id: \S+\r\n/);
    expect(text).toContain('{"detail":{"code":"bad_request"');
  });

  test.each([
    ["without a host", "GET /healthz HTTP/1.1\r\nX-Request-Id: mine\r\n\r\n", 400, "bad_request"],
    [
      "with an expectation that nobody knows",
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nExpect: more\r\n\r\n",
      417,
      "expectation_failed",
    ],
  ])("to a request %s is in the envelope too", async (_, request, status, code) => {
    const text = await exchange(request);
    expect(text.startsWith(`HTTP/1.1 ${status} `), text).toBe(true);
    expect(text).toContain("\r\nX-Request-Id: mine\r\n");
    expect(text).toContain(`{"detail":{"code":"${code}"`);
  });

  test("to headers that are too long says so", async () => {
    const text = await exchange(`GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 431 /);
    expect(text).toMatch(/X-Request-Id: \S+\r\n/);
    expect(text).toContain('{"detail":{"code":"headers_too_large"');
  });

  test("to a request target in absolute form is that of its path", async () => {
    const head = `Host: x\r\nAuthorization: Bearer ${rig.org.key}\r\nConnection: close`;
    const text = await exchange(`GET http://x:1/v1/utils/authtest?a HTTP/1.1\r\n${head}\r\n\r\n`);
    expect(text).toContain('{"msg":"Auth successful"}');
    expect(await exchange(`OPTIONS * HTTP/1.1\r\n${head}\r\n\r\n`)).toContain('"not_found"');
  });

  test.each(["/healthz", "/v1/utils/authtest"])("of %s is whole for any ETag", async (path) => {
    const answer = await send("GET", path, { headers: { "if-none-match": "*" } });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toBe("");
  });
});

function rigKey(): string {
  return rig.org.key;
}

async function exchange(request: string): Promise<string> {
  const socket = net.connect(rig.gateways[0].port, "127.0.0.1");
  socket.write(request);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
