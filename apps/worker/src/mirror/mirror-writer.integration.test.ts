import { afterEach, beforeEach, expect, test } from "vitest";
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDatabase, type Database } from "@truerun/shared/db";
import { createLogger } from "@truerun/shared/logger";
import { stepId } from "@truerun/shared/step-id";
import type { MirrorRecord, StepRow } from "./mirror-record.ts";
import { insertRun } from "../testing/insert-run.ts";
import type { MirrorLimits } from "./held-records.ts";
import { createMirrorWriter, type MirrorWriter } from "./mirror-writer.ts";

const { url, db } = useTestDatabase({ poolSize: 2 });
let proxy: TcpProxy;
let throughProxy: Database;
beforeEach(async () => {
  const address = new URL(url);
  proxy = await createTcpProxy({ targetPort: Number(address.port) });
  address.port = String(proxy.port);
  throughProxy = createDatabase({ url: address.href, poolSize: 2, applicationName: "test-mirror" });
});
afterEach(async () => {
  await throughProxy.$disconnect();
  await proxy.close();
});

test("a frozen Postgres is waited for once; what came meanwhile is written when it is back", async () => {
  const runId = await insertRun(db);
  const writer = createWriter();
  await writer.write(step(runId, 0));
  proxy.freeze();
  await writer.write(step(runId, 1));
  const waited: number[] = [];
  const start = Date.now();
  // Long enough for further tries, each of which takes until its timeout.
  for (let key = 2; Date.now() - start < 5_000; key++) {
    const before = Date.now();
    await writer.write(step(runId, key));
    waited.push(Date.now() - before);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(Math.max(...waited)).toBeLessThan(500);
  proxy.restore();
  const count = waited.length + 2;
  await waitFor("all records", async () => (await countSteps(runId)) === count);
  expect(writer.counts).toMatchObject({ held: 0, dropped: 0 });
  // From here on writes are waited for again.
  await writer.write(step(runId, count));
  expect(await countSteps(runId)).toBe(count + 1);
  await writer.close();
});

test("what is held has a limit in number and in size; the oldest goes", async () => {
  const runId = await insertRun(db);
  proxy.cut();
  const few = createWriter({ heldRecords: 3 });
  const small = createWriter({ heldSize: 10_000 });
  for (let key = 0; key < 6; key++) {
    await few.write(step(runId, key));
    await small.write(step(runId, 10 + key, "x".repeat(3_000)));
  }
  expect(few.counts).toMatchObject({ dropped: 3 });
  expect(small.counts).toMatchObject({ dropped: 4 });
  proxy.restore();
  await waitFor("both", async () => (await countSteps(runId)) === 5);
  expect(await keysOf(runId)).toEqual(["k14", "k15", "k3", "k4", "k5"]);
  await Promise.all([few.close(), small.close()]);
});

test("a batch has a limit in size; a record larger than it goes alone", async () => {
  const runId = await insertRun(db);
  const writer = createWriter({ batchSize: 10_000 });
  const sizes = [3_000, 30_000, 3_000, 3_000, 3_000];
  await Promise.all(sizes.map((size, key) => writer.write(step(runId, key, "x".repeat(size)))));
  expect(await countSteps(runId)).toBe(sizes.length);
  expect(await countStatements(runId)).toBe(4);
  await writer.close();
});

test("a record that the database refuses does not take its neighbors along, nor its content into the log", async () => {
  const runId = await insertRun(db);
  const lines: string[] = [];
  const logger = createLogger({ name: "test", level: "info" });
  logger.error = (...said: unknown[]) => void lines.push(JSON.stringify(said));
  const writer = createWriter({}, logger);
  const bad = { ...step(runId, 1, "private"), artifacts: "no JSON" };
  await Promise.all([step(runId, 0), bad, step(runId, 2)].map((record) => writer.write(record)));
  expect(await keysOf(runId)).toEqual(["k0", "k2"]);
  expect(writer.counts).toEqual({ held: 0, dropped: 1, written: 2 });
  expect(lines.join("\n")).toContain(bad.id);
  expect(lines.join("\n")).not.toContain("private");
  await writer.close();
});

test("what nobody waits for goes with what somebody does, or by itself, and is there when the writer is closed", async () => {
  const runId = await insertRun(db);
  const writer = createWriter();
  writer.writeSoon(step(runId, 0));
  writer.writeSoon(step(runId, 1));
  await writer.write(step(runId, 2));
  expect(await keysOf(runId)).toEqual(["k0", "k1", "k2"]);
  expect(await countStatements(runId)).toBe(1);
  writer.writeSoon(step(runId, 3));
  await waitFor("the one alone", async () => (await countSteps(runId)) === 4);
  writer.writeSoon(step(runId, 4));
  await writer.close();
  expect(await countSteps(runId)).toBe(5);
  expect(writer.counts).toEqual({ held: 0, dropped: 0, written: 5 });
});

test("what nobody waits for is held as well while Postgres is away", async () => {
  const runId = await insertRun(db);
  const writer = createWriter();
  proxy.cut();
  writer.writeSoon(step(runId, 0));
  await writer.write(step(runId, 1));
  writer.writeSoon(step(runId, 2));
  proxy.restore();
  await waitFor("all", async () => (await countSteps(runId)) === 3);
  await writer.close();
});

test("records do not wait for an end that cannot be taken back: the reconciler will do it", async () => {
  const runId = await insertRun(db);
  const lines: unknown[] = [];
  const logger = createLogger({ name: "test", level: "silent" });
  logger.warn = (...said: unknown[]) => void lines.push(said[1]);
  const writer = createMirrorWriter({
    db: throughProxy,
    logger,
    onRefused: async () => undefined,
    // Between the two statements.
    onReopened: () => proxy.cut(),
  });
  const begun = { ...step(runId, 0), status: null, output: null } as const;
  await writer.write(begun);
  await writer.write(endOf(begun));
  const at = { mirror_time_ms: 10_000, created_at_ms: 10_000 };
  await writer.write({ ...begun, ...at });
  expect(lines).toEqual(["an end was not taken back; the reconciler does it"]);
  expect(writer.counts).toEqual({ held: 0, dropped: 0, written: 3 });
  expect(await db.workflowRun.findUnique({ where: { id: runId } })).toMatchObject({
    status: "completed",
    confirmedAt: null,
    temporalRunId: begun.temporal_run_id,
  });
  expect(await db.workflowRunStep.findMany({ where: { runId } })).toMatchObject([
    { status: null, mirrorTimeMs: BigInt(at.mirror_time_ms) },
  ]);
  proxy.restore();
  await writer.write(step(runId, 1));
  await writer.close();
});

function createWriter(
  limits: Partial<MirrorLimits> = {},
  logger = createLogger({ name: "test", level: "silent" }),
): MirrorWriter {
  return createMirrorWriter({ db: throughProxy, logger, onRefused: async () => undefined, limits });
}

function step(runId: string, place: number, output = "done"): StepRow {
  const key = `k${place}`;
  return {
    kind: "step",
    run_id: runId,
    id: stepId(runId, key),
    ordinal: place,
    step_key: key,
    item_index: null,
    component_id: "cbwc_x",
    component_name: key,
    action_type: "transform",
    status: "success",
    message: null,
    artifacts: "[]",
    output: JSON.stringify(output),
    attempt: 1,
    started_at_ms: 1,
    finished_at_ms: 2,
    created_at_ms: 1,
    updated_at_ms: 2,
    digest: 0,
    temporal_run_id: "one",
    mirror_length: 3,
    mirror_time_ms: 1,
    mirror_seq: place + 1,
  };
}

function endOf({ run_id, temporal_run_id, mirror_length, mirror_time_ms }: StepRow): MirrorRecord {
  return {
    kind: "end",
    run_id,
    temporal_run_id,
    mirror_length,
    mirror_time_ms,
    mirror_seq: 99,
    status: "completed",
    error_code: null,
    error_message: null,
    completed_at_ms: 1,
    step_count: 1,
    steps_digest: 0,
  };
}

async function keysOf(runId: string): Promise<string[]> {
  const steps = await db.workflowRunStep.findMany({ where: { runId } });
  return steps.map(({ stepKey }) => stepKey).toSorted();
}

/** How many statements last wrote the run's rows. */
async function countStatements(runId: string): Promise<number> {
  const [{ statements } = { statements: 0 }] = await db.$queryRaw<{ statements: number }[]>`
    SELECT count(DISTINCT xmin::text)::int AS statements FROM workflow_run_steps WHERE run_id = ${runId}`;
  return statements;
}

async function countSteps(runId: string): Promise<number> {
  return await db.workflowRunStep.count({ where: { runId } });
}
