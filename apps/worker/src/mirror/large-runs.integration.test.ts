// Rows of a run that no single statement could read or write in its time.
import { randomBytes } from "node:crypto";
import type { Database } from "@truerun/shared/db";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { stepId } from "@truerun/shared/step-id";
import { expect, test } from "vitest";
import { insertRun } from "../testing/insert-run.ts";
import type { StepRow } from "./mirror-record.ts";
import { readRunRows } from "./run-rows.ts";
import { type WritableProjection, writeProjection } from "./write-projection.ts";

const { db } = useTestDatabase({ poolSize: 2 });

test.each([
  ["few and small", [10, 10, 10]],
  ["large", Array.from({ length: 30 }, (_, n) => 400_000 + n)],
  ["many", Array.from({ length: 3_000 }, (_, n) => n % 500)],
  ["large and many", Array.from({ length: 400 }, (_, n) => (n % 20 === 0 ? 700_000 : n))],
])("steps that are %s are written and read as they are", async (_, sizes) => {
  const runId = await insertRun(db);
  const seen = await readRunRows(db, runId);
  if (seen === null) throw new Error("There is no run");
  const steps = sizes.map((size, ordinal) => toStep(runId, ordinal, size));
  expect(await writeProjection(db, toProjection(runId, steps), seen)).toBe(true);
  const rows = await readRunRows(db, runId);
  expect(rows?.status).toBe("completed");
  const expected = steps.map(({ kind: _kind, ...step }) => ({ ...step, generation: 0 }));
  expect(rows?.steps.length).toBe(expected.length);
  // Not as one comparison: its report would be megabytes.
  for (const [index, step] of expected.entries()) expect(rows?.steps[index]).toEqual(step);
});

test("no statement takes all of a large run", async () => {
  const runId = await insertRun(db);
  const seen = await readRunRows(db, runId);
  if (seen === null) throw new Error("There is no run");
  const statements: number[] = [];
  const counting = countBytes(db, statements);
  const steps = Array.from({ length: 40 }, (_, ordinal) => toStep(runId, ordinal, 500_000));
  await writeProjection(counting, toProjection(runId, steps), seen);
  await readRunRows(counting, runId);
  expect(Math.max(...statements)).toBeGreaterThan(400_000);
  expect(Math.max(...statements)).toBeLessThan(10_000_000);
});

/** Notes how much each statement sends or returns. */
function countBytes(of: Database, statements: number[]): Database {
  const note = async (values: unknown[], rows: Promise<unknown>): Promise<unknown> => {
    const found = await rows;
    statements.push(JSON.stringify([values, found]).length);
    return found;
  };
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (name === "$transaction") {
            const [work, options] = args as [(tx: object) => Promise<unknown>, object];
            return value.call(object, (tx: object) => work(wrap(tx)), options);
          }
          const result: unknown = value.apply(object, args);
          const isStatement = name === "$queryRaw" || name === "$executeRaw";
          return isStatement ? note(args.slice(1), result as Promise<unknown>) : result;
        };
      },
    });
  return wrap(of);
}

function toStep(runId: string, ordinal: number, size: number): StepRow {
  const key = `each[${ordinal}]`;
  return {
    kind: "step",
    run_id: runId,
    id: stepId(runId, key),
    ordinal,
    step_key: key,
    item_index: ordinal,
    component_id: "cbwc_x",
    component_name: "each",
    action_type: "transform",
    status: "success",
    message: null,
    artifacts: "[]",
    // Not compressible: Postgres would store the rest in next to nothing.
    output: JSON.stringify(
      randomBytes(Math.ceil(size / 2))
        .toString("hex")
        .slice(0, size),
    ),
    attempt: 1,
    started_at_ms: 1_000,
    finished_at_ms: 2_000,
    created_at_ms: 1_000,
    updated_at_ms: 2_000,
    digest: ordinal,
    temporal_run_id: "current",
    mirror_length: 10,
    mirror_time_ms: 2_000,
    mirror_seq: ordinal + 1,
  };
}

function toProjection(runId: string, steps: readonly StepRow[]): WritableProjection {
  const digests = steps.reduce((sum, { digest }) => sum + digest, 0);
  return {
    workflowRunId: runId,
    temporalRunId: "current",
    historyLength: 20,
    steps: [...steps],
    end: {
      kind: "end",
      run_id: runId,
      temporal_run_id: "current",
      status: "completed",
      error_code: null,
      error_message: null,
      completed_at_ms: 3_000,
      step_count: steps.length,
      steps_digest: digests,
      mirror_length: 10,
      mirror_time_ms: 3_000,
      mirror_seq: 0,
    },
  };
}
