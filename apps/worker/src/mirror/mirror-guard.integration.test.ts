import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { endUndispatched } from "@truerun/shared/dispatch/dispatch-marks";
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { createLogger } from "@truerun/shared/logger";
import { stepId } from "@truerun/shared/step-id";
import { insertRun } from "../testing/insert-run.ts";
import { createMirrorDatabase } from "./mirror-database.ts";
import type { MirrorRecord, RunEnd, StepRow } from "./mirror-record.ts";
import { writeRecords } from "./mirror-statement.ts";
import { createMirrorWriter } from "./mirror-writer.ts";

const { url, db } = useTestDatabase({ poolSize: 4 });

test("whatever is written twice, late or in another order, the newest of each row stays", async () => {
  const length = story("").length;
  const places = fc.array(fc.nat({ max: length - 1 }), { maxLength: 2 * length });
  await fc.assert(
    fc.asyncProperty(
      places,
      fc.array(fc.nat(), { minLength: 3 * length, maxLength: 3 * length }),
      async (again, ranks) => {
        const runId = await insertRun(db);
        const whole = story(runId);
        const repeated = again.map((place) => whole[place] as MirrorRecord);
        const order = [...whole, ...repeated]
          .map((record, place) => ({ record, rank: ranks[place] ?? 0 }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ record }) => record);
        for (const batch of toBatches(order)) await writeRecords(db, batch);
        expect(await readRows(runId)).toEqual(newestOf(whole));
      },
    ),
    { numRuns: 60 },
  );
});

test("a batch reads its own runs, however many others wait that came after the plan was made", async () => {
  const mirrorDb = createMirrorDatabase(url, 1);
  const runId = await insertRun(db);
  const [first] = story(runId) as [MirrorRecord];
  // Postgres settles on a plan at the sixth execution.
  for (let n = 0; n < 7; n++) await writeRecords(mirrorDb, [first]);
  await db.$executeRaw`
    INSERT INTO workflow_runs
    SELECT (jsonb_populate_record(run, jsonb_build_object('id', run.id || n, 'temporal_run_id', n))).*
      FROM workflow_runs AS run, generate_series(1, 2000) AS n WHERE run.id = ${runId}`;
  const before = await countReads(mirrorDb);
  for (let n = 0; n < 10; n++) await writeRecords(mirrorDb, [first]);
  expect((await countReads(mirrorDb)) - before).toBeLessThan(500);
  await mirrorDb.$disconnect();
});

/** Rows of runs read so far. Asked on the connection that read them: others see them later. */
async function countReads(of: Database): Promise<number> {
  await of.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
  const [row] = await of.$queryRaw<{ reads: number }[]>`
    SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 AS reads
      FROM pg_stat_user_tables WHERE relname = 'workflow_runs'`;
  return row?.reads ?? 0;
}

test("records of another Temporal run change nothing and are reported", async () => {
  const runId = await insertRun(db);
  const [first, ...rest] = story(runId);
  await writeRecords(db, [first as MirrorRecord]);
  const before = await readRows(runId);
  const foreign = rest.map((record) => ({
    ...record,
    temporal_run_id: "another",
    mirror_length: 999,
  }));
  for (const record of foreign) {
    const { refused } = await writeRecords(db, [record]);
    expect(refused).toMatchObject([{ run_id: runId, temporal_run_id: "another", why: "foreign" }]);
  }
  expect(await readRows(runId)).toEqual(before);
});

test("the first records of a run that was ended at that moment change nothing, and it is told", async () => {
  const runId = await insertRun(db);
  const records = story(runId).slice(0, 1);
  let writing: Promise<unknown> | undefined;
  await db.$transaction(async (tx) => {
    await endUndispatched(tx, {
      id: runId,
      status: "canceled",
      code: "workflow_canceled",
      message: "",
    });
    // It sees the row as it was, and waits for the lock on it.
    writing = writeRecords(db, records);
    await untilBlocked();
  });
  expect(await writing).toMatchObject({
    refused: [{ run_id: runId, temporal_run_id: "current", why: "stray" }],
  });
  expect(await readRows(runId)).toMatchObject({ status: "canceled", steps: [] });
});

test("the first records are written when the mark of the dispatch comes at that moment", async () => {
  const runId = await insertRun(db);
  const records = story(runId).slice(0, 1);
  let writing: Promise<unknown> | undefined;
  await db.$transaction(async (tx) => {
    await tx.workflowRun.update({
      where: { id: runId },
      data: { dispatchedAt: new Date(), temporalRunId: "current" },
    });
    writing = writeRecords(db, records);
    await untilBlocked();
  });
  expect(await writing).toEqual({ refused: [], reopened: [] });
  expect(await readRows(runId)).toMatchObject({ status: "started", steps: [{ key: "a" }] });
});

test("an end from a task that another worker has begun anew is not taken", async () => {
  const runId = await insertRun(db);
  const [first] = story(runId);
  if (first?.kind !== "step") throw new Error("The story begins with a step");
  const end = story(runId).findLast((record) => record.kind === "end");
  if (end === undefined) throw new Error("The story has an end");
  const at = { mirror_length: end.mirror_length + 3, mirror_time_ms: end.mirror_time_ms + 10_000 };
  await writeRecords(db, [{ ...first, status: null, ...at }]);
  expect(await writeRecords(db, [end])).toEqual({ refused: [], reopened: [] });
  expect(await readRows(runId)).toMatchObject({ status: "started" });
  await writeRecords(db, [{ ...end, ...at }]);
  expect(await readRows(runId)).toMatchObject({ status: end.status });
});

describe("a step that begins", () => {
  async function begun(): Promise<{
    first: StepRow;
    later: Pick<StepRow, "mirror_time_ms" | "created_at_ms">;
  }> {
    const [first] = story(await insertRun(db));
    if (first?.kind !== "step") throw new Error("The story begins with a step");
    const time = first.mirror_time_ms + 10_000;
    return { first, later: { mirror_time_ms: time, created_at_ms: time } };
  }

  test.for([
    ["is open", null],
    ["had an outcome", "success"],
  ] as const)(
    "is told when it does so again, and %s in the task that was lost",
    async ([, status]) => {
      const { first, later } = await begun();
      const known = { ...first, status, mirror_seq: first.mirror_seq + (status === null ? 0 : 1) };
      expect(await writeRecords(db, [known])).toEqual({ refused: [], reopened: [] });
      expect(await writeRecords(db, [first])).toEqual({ refused: [], reopened: [] });
      const { refused, reopened } = await writeRecords(db, [{ ...first, ...later }]);
      expect(refused).toEqual([]);
      expect(reopened).toMatchObject([
        {
          run_id: first.run_id,
          step_id: first.id,
          was_open: status === null,
          kept_ms: first.mirror_time_ms,
          begins_ms: later.mirror_time_ms,
        },
      ]);
    },
  );

  test("is not when its first record is late, nor when the workflow has gone on from it", async () => {
    const { first, later } = await begun();
    await writeRecords(db, [first]);
    const time = first.mirror_time_ms - 10_000;
    const before = { ...first, mirror_time_ms: time, created_at_ms: time };
    expect(await writeRecords(db, [before])).toEqual({ refused: [], reopened: [] });
    // A step whose artifacts are recorded while it is under way.
    const noted = { ...first, mirror_time_ms: later.mirror_time_ms, artifacts: "[{}]" };
    expect(await writeRecords(db, [noted])).toEqual({ refused: [], reopened: [] });
  });

  test("takes back the end that was recorded in a lost task", async () => {
    const { first, later } = await begun();
    const end = story(first.run_id).findLast((record) => record.kind === "end");
    if (end === undefined) throw new Error("The story has an end");
    const logger = createLogger({ name: "test", level: "silent" });
    const writer = createMirrorWriter({ db, logger, onRefused: async () => undefined });
    const at = { ...later, mirror_length: end.mirror_length + 3 };
    await writer.write(first);
    await writer.write(end);
    expect(await readRows(first.run_id)).toMatchObject({ status: end.status });
    await writer.write({ ...first, ...at });
    expect(await readRows(first.run_id)).toMatchObject({ status: "started", completedAt: null });
    await writer.write({ ...end, ...at });
    expect(await readRows(first.run_id)).toMatchObject({ status: end.status });
    await writer.close();
  });
});

test("records of a run without a row are reported and leave nothing", async () => {
  const runId = newId("cbwr");
  const records = story(runId).slice(0, 1);
  expect((await writeRecords(db, records)).refused).toHaveLength(1);
  expect(await db.workflowRunStep.count({ where: { runId } })).toBe(0);
});

/** Waits until a statement of this file's database waits for a lock. */
async function untilBlocked(): Promise<void> {
  await waitFor("a statement that waits", async () => {
    const waiting = await db.$queryRaw<unknown[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return waiting.length > 0;
  });
}

/** What one Temporal run writes: two steps opened and closed, an end that is refused, and the real one. */
function story(runId: string): MirrorRecord[] {
  let seq = 0;
  const at = (length: number, timeMs: number) => ({
    temporal_run_id: "current",
    mirror_length: length,
    mirror_time_ms: timeMs,
    mirror_seq: ++seq,
  });
  const step = (
    key: string,
    status: StepRow["status"],
    position: ReturnType<typeof at>,
  ): StepRow => ({
    kind: "step",
    run_id: runId,
    id: stepId(runId, key),
    ordinal: key === "a" ? 0 : 1,
    step_key: key,
    item_index: null,
    component_id: "cbwc_x",
    component_name: key,
    action_type: "transform",
    status,
    message: status === "failed" ? "no" : null,
    artifacts: "[]",
    output: status === "success" ? '{"\\u0000":1}' : null,
    attempt: status === null ? null : 1,
    started_at_ms: null,
    finished_at_ms: null,
    created_at_ms: 1_000,
    updated_at_ms: position.mirror_time_ms,
    digest: position.mirror_seq,
    ...position,
  });
  const end = (status: RunEnd["status"], position: ReturnType<typeof at>): RunEnd => ({
    kind: "end",
    run_id: runId,
    status,
    error_code: status === "canceled" ? "workflow_canceled" : null,
    error_message: null,
    completed_at_ms: position.mirror_time_ms,
    step_count: 2,
    steps_digest: 7,
    ...position,
  });
  return [
    step("a", null, at(3, 1_000)),
    // One activation can record a step's beginning and its end; a retried task has the same length.
    step("b", null, at(3, 1_000)),
    step("b", "failed", at(3, 1_000)),
    step("b", null, at(3, 1_500)),
    step("a", "success", at(9, 2_000)),
    step("b", "success", at(9, 2_000)),
    end("completed", at(9, 2_000)),
    end("canceled", at(14, 2_100)),
  ];
}

function newestOf(records: readonly MirrorRecord[]): unknown {
  const steps = new Map<string, StepRow>();
  let end: RunEnd | undefined;
  for (const record of records) {
    if (record.kind === "step") steps.set(record.id, record);
    else end = record;
  }
  return {
    status: end?.status ?? "started",
    completedAt: end?.completed_at_ms ?? null,
    steps: [...steps.values()].map((row) => ({
      key: row.step_key,
      status: row.status,
      seq: row.mirror_seq,
    })),
  };
}

async function readRows(runId: string): Promise<unknown> {
  const run = await db.workflowRun.findUniqueOrThrow({ where: { id: runId } });
  const steps = await db.workflowRunStep.findMany({
    where: { runId },
    orderBy: { ordinal: "asc" },
  });
  return {
    status: run.status,
    completedAt: run.completedAt?.getTime() ?? null,
    steps: steps.map((row) => ({ key: row.stepKey, status: row.status, seq: row.mirrorSeq })),
  };
}

/** Puts neighbors into one statement, as far as no row is in it twice. */
function toBatches(records: readonly MirrorRecord[]): MirrorRecord[][] {
  const batches: MirrorRecord[][] = [];
  for (const record of records) {
    const last = batches.at(-1);
    const key = record.kind === "step" ? record.id : record.run_id;
    const clashes =
      last?.some((each) => (each.kind === "step" ? each.id : each.run_id) === key) ?? true;
    if (last === undefined || clashes) batches.push([record]);
    else last.push(record);
  }
  return batches;
}
