import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import http from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProcessRig, type ProcessRig } from "./testing/process-rig.ts";
import { sendTo } from "./testing/test-gateway.ts";

let rig: ProcessRig;
beforeAll(async () => {
  rig = await createProcessRig();
});
afterAll(() => rig.close());

const run = (port: number, idempotencyKey: string) =>
  sendTo(port, "POST", `/v1/workflows/${rig.workflowName}/run`, {
    key: rig.org.key,
    headers: { "idempotency-key": idempotencyKey },
  });

test("two processes make one run of 50 requests with one key at once", async () => {
  const [first, second] = await Promise.all([rig.start(), rig.start()]);
  const idempotencyKey = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      run((at % 2 === 0 ? first : second).port, idempotencyKey),
    ),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]?.status, answers[0]?.text).toBe(201);
  expect(await rig.db.idempotencyKey.count({ where: { key: idempotencyKey } })).toBe(1);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "on %s every request that was taken is answered, what it noted is committed, and the process exits 0",
  async (signal) => {
    const gateway = await rig.start();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const ids: string[] = [];
    let refused = 0;
    const call = async () => {
      for (;;) {
        const answer = await sendTo(gateway.port, "POST", `/v1/workflows/${rig.workflowName}/run`, {
          key: rig.org.key,
          agent,
        }).catch((error: NodeJS.ErrnoException) => error);
        if (answer instanceof Error) {
          // Nothing listens any more: the only acceptable reason for a request to fail.
          expect(answer.code).toBe("ECONNREFUSED");
          refused += 1;
          return;
        }
        expect(answer.status, gateway.output()).toBe(201);
        ids.push(String(answer.json["workflow_run_id"]));
        if (ids.length === 50) gateway.kill(signal);
      }
    };
    await Promise.all(Array.from({ length: 8 }, call));
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect(refused).toBe(8);
    expect(ids.length).toBeGreaterThanOrEqual(50);
    const undispatched = await rig.db.workflowRun.count({
      where: { id: { in: ids }, dispatchedAt: null },
    });
    expect(undispatched).toBe(0);
  },
);

test("a request that hangs holds the end up no longer than SHUTDOWN_TIMEOUT_MS", async () => {
  const gateway = await rig.start({ SHUTDOWN_TIMEOUT_MS: "500" });
  const hanging = http.request({
    port: gateway.port,
    host: "127.0.0.1",
    method: "POST",
    path: `/v1/workflows/${rig.workflowName}/run`,
    headers: { authorization: `Bearer ${rig.org.key}`, "content-length": "10" },
  });
  const cut = new Promise((resolve) => hanging.on("error", resolve));
  await new Promise<void>((resolve) => hanging.write("{", () => resolve()));
  gateway.kill("SIGTERM");
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  expect(await cut).toBeInstanceOf(Error);
});

test("a gateway whose parent is gone stops by itself", async () => {
  const gateway = await rig.start();
  gateway.child.disconnect();
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});

test("the log has a line a request with its ids, and never a key", async () => {
  const gateway = await rig.start();
  const requestId = randomUUID();
  const answer = await sendTo(gateway.port, "POST", `/v1/workflows/${rig.workflowName}/run?a=b`, {
    key: rig.org.key,
    headers: { "x-request-id": requestId },
  });
  gateway.kill("SIGTERM");
  await gateway.exited;
  const lines = gateway
    .output()
    .split("\n")
    .filter((line) => line.includes(requestId));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    orgId: rig.org.orgId,
    workflowRunId: answer.json["workflow_run_id"],
    res: { statusCode: 201 },
  });
  expect(gateway.output()).not.toContain(rig.org.key);
});

test("a configuration that cannot be used is refused with a list of what is wrong", async () => {
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const env = { PATH: process.env["PATH"], PORT: "many", MAX_BODY_BYTES: "0" };
    execFile(process.execPath, ["apps/api/dist/main.js"], { env }, (error, _stdout, stderr) => {
      resolve({ code: error?.code, stderr });
    });
  });
  expect(code).toBe(1);
  for (const variable of ["DATABASE_URL", "PORT", "MAX_BODY_BYTES"])
    expect(stderr).toContain(variable);
  expect(stderr).not.toMatch(/\n\s+at /);
});
