// A gateway process with small limits gets more requests than it may take.
import { randomUUID } from "node:crypto";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { GatewayProcess } from "../testing/gateway-process.ts";
import { createProcessRig, type ProcessRig } from "../testing/process-rig.ts";
import { connectRaw, type RawConnection, toHead } from "../testing/raw-connection.ts";
import { defineWorkflow } from "../testing/run-rows.ts";
import { sendTo } from "../testing/test-gateway.ts";

const BURST = 60;

let rig: ProcessRig;
let gateway: GatewayProcess;
beforeAll(async () => {
  rig = await createProcessRig();
  await defineWorkflow(rig, { name: rig.workflowName, key: rig.otherOrg.key });
  const databaseUrl = new URL(rig.databaseUrl);
  databaseUrl.port = String(rig.databaseProxy.port);
  gateway = await rig.start({
    DATABASE_URL: databaseUrl.href,
    TEMPORAL_ADDRESS: `127.0.0.1:${rig.temporalProxy.port}`,
    MAX_CONCURRENT_STARTS: "2",
    MAX_REQUESTS: "20",
    MAX_CONNECTIONS: "100",
    DATABASE_POOL_SIZE: "3",
    DISPATCH_DEADLINE_MS: "1500",
    REQUEST_TIMEOUT_MS: "3000",
  });
});
afterEach(async () => {
  rig.temporalProxy.restore();
  rig.databaseProxy.restore();
  await waitFor("the gateway to be ready", async () => {
    return (await sendTo(gateway.port, "GET", "/readyz")).status === 200;
  });
});
afterAll(() => rig.close());

function run(idempotencyKey: string, key = rig.org.key) {
  const headers = { "idempotency-key": idempotencyKey };
  const body = { input: { key: idempotencyKey } };
  return sendTo(gateway.port, "POST", `/v1/workflows/${rig.workflowName}/run`, {
    key,
    headers,
    body,
  });
}

async function burst() {
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: BURST }, async () => {
      const idempotencyKey = randomUUID();
      const answer = await run(idempotencyKey);
      return { ...answer, idempotencyKey, ms: performance.now() - startedAt };
    }),
  );
  return { answers, of: (status: number) => answers.filter((each) => each.status === status) };
}

type Answers = Awaited<ReturnType<typeof burst>>["answers"];

async function expectNothingCreated(refused: Answers): Promise<void> {
  const keys = refused.map(({ idempotencyKey }) => idempotencyKey);
  expect(await rig.db.idempotencyKey.count({ where: { key: { in: keys } } })).toBe(0);
  for (const { headers, json } of refused) {
    expect(json).toMatchObject({ detail: { code: "service_unavailable" } });
    expect(headers["retry-after"]).toMatch(/^[123]$/);
  }
}

test("a burst is answered 201 or 503; what is accepted is there, and what is refused is not", async () => {
  const before = await rig.db.workflowRun.count();
  const [{ of }, reads] = await Promise.all([
    burst(),
    Promise.all(
      Array.from({ length: 10 }, () =>
        sendTo(gateway.port, "GET", "/v1/workflows/runs", { key: rig.otherOrg.key }),
      ),
    ),
  ]);
  const [accepted, refused] = [of(201), of(503)];
  expect(accepted.length + refused.length).toBe(BURST);
  expect(accepted.length).toBeGreaterThan(0);
  // One key gets only half of the places.
  expect(refused.length).toBeGreaterThanOrEqual(BURST / 2);
  expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200));
  await expectNothingCreated(refused);
  expect(await rig.db.workflowRun.count()).toBe(before + accepted.length);
  const ids = accepted.map(({ json }) => String(json["workflow_run_id"]));
  await waitFor("the mark of every run that Temporal took", async () => {
    const where = { id: { in: ids }, dispatchedAt: { not: null }, temporalRunId: { not: null } };
    return (await rig.db.workflowRun.count({ where })) === accepted.length;
  });
  const [again] = refused;
  expect(again && (await run(again.idempotencyKey)).status).toBe(201);
});

test("one key's flood leaves a place for another's request", async () => {
  const flood = burst();
  expect((await run(randomUUID(), rig.otherOrg.key)).status).toBe(201);
  await flood;
});

test("while Temporal is frozen all are answered in time, and a 502 has its run", async () => {
  rig.temporalProxy.freeze();
  const { answers, of } = await burst();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502, 503]));
  // Five seconds to wait, one and a half for Temporal, and some slack for a busy machine.
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(12_000);
  await expectNothingCreated(of(503));
  const keys = of(502).map(({ idempotencyKey }) => idempotencyKey);
  expect(await rig.db.idempotencyKey.count({ where: { key: { in: keys } } })).toBe(keys.length);
  const read = await sendTo(gateway.port, "GET", "/v1/workflows/runs", { key: rig.org.key });
  expect(read.status).toBe(200);
});

test("while Postgres is frozen all are told 503 in time", async () => {
  rig.databaseProxy.freeze();
  const { answers, of } = await burst();
  expect(of(503).length).toBe(BURST);
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(12_000);
});

test("starts that hold all their connections to the database leave the others' alone", async () => {
  const key = randomUUID();
  const endpoint = `workflows/${rig.workflowName}/run`;
  const expiresAt = new Date(Date.now() + 60_000);
  await rig.db.$transaction(async (tx) => {
    const data = { orgId: rig.org.orgId, endpoint, key, runId: "none", expiresAt };
    await tx.idempotencyKey.create({ data });
    const blocked = Promise.all([run(key), run(key)]);
    await waitFor("a start to wait for the lock", async () => {
      const [row] = await rig.db.$queryRaw<{ count: number }[]>`
        SELECT count(*)::int FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return row?.count;
    });
    const read = await sendTo(gateway.port, "GET", "/v1/workflows/runs", { key: rig.org.key });
    expect(read.status).toBe(200);
    const answers = await blocked;
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    await tx.idempotencyKey.deleteMany({ where: { key } });
  });
});

test("beyond its connections it says so, and that it is alive; those that say nothing are freed", async () => {
  const held: RawConnection[] = [];
  // These callers do not even close their side when they are told that they are too slow.
  for (let index = 0; index < 100; index++) held.push(await connectRaw(gateway.port, true));
  try {
    const extra = await connectRaw(gateway.port);
    held.push(extra);
    extra.write(toHead("GET", "/v1/workflows"));
    const answer = await extra.receive("Try again shortly");
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/\r\nRetry-After: 1\r\n/);
    expect((await sendTo(gateway.port, "GET", "/healthz")).status).toBe(200);
    for (const connection of held.slice(0, 100)) await connection.receive("request_timeout");
    await waitFor("a place for a new connection", async () => {
      const next = await connectRaw(gateway.port);
      const headers = { authorization: `Bearer ${rig.org.key}` };
      next.write(toHead("GET", "/v1/utils/authtest", { headers }));
      const head = await next.receive("\r\n\r\n");
      next.close();
      return head.startsWith("HTTP/1.1 200 ");
    });
  } finally {
    for (const connection of held) connection.close();
  }
});
