import type { RunStatus } from "@truerun/shared/contracts/statuses";
import { type Database, Prisma } from "@truerun/shared/db";
import type { StepRow } from "./mirror-record.ts";

/** A run as the tables say it is. */
export interface RunRows {
  workflowRunId: string;
  temporalRunId: string | null;
  generation: number;
  status: RunStatus;
  /** Milliseconds, as all times here. */
  completedAtMs: number | null;
  errorCode: string | null;
  errorMessage: string | null;
  stepCount: number | null;
  stepsDigest: number | null;
  mirrorLength: number;
  mirrorTimeMs: number;
  mirrorSeq: number;
  isDispatched: boolean;
  isConfirmed: boolean;
  steps: TableStep[];
}

/** A step's row, with the generation that it was written in. */
export type TableStep = Omit<StepRow, "kind"> & { generation: number };

/** What one statement may read: beyond it, a run's rows are read in slices. */
const AT_ONCE = { steps: 1_000, storedBytes: 128 * 1024 };
/** Steps of the first slice: each may have a megabyte. */
const FIRST_SLICE = 8;
/** Text of a slice: with less, the next one is larger; with more, smaller. */
const SLICE_CHARS = { few: 500_000, many: 2_000_000 };
const WITHIN_MS = 60_000;

/**
 * A run's rows, as they are at one moment. Large ones are read in slices of one snapshot, because no statement may
 * take long.
 *
 * @returns null when there is no such run
 */
export async function readRunRows(db: Database, workflowRunId: string): Promise<RunRows | null> {
  const small = await readAtOnce(db, workflowRunId);
  if (small === null || isWhole(small)) return small;
  return await db.$transaction(
    async (tx) => {
      const rows = await readAtOnce(tx, workflowRunId);
      if (rows === null || isWhole(rows)) return rows;
      return { ...rows, steps: await readSlices(tx, workflowRunId) };
    },
    { isolationLevel: "RepeatableRead", timeout: WITHIN_MS },
  );
}

type Reader = Pick<Database, "$queryRaw">;

/** A run's rows; null stands for steps that are too many or too large for one statement. */
type RowsAtOnce = RunRows | (Omit<RunRows, "steps"> & { steps: null });

function isWhole(rows: RowsAtOnce): rows is RunRows {
  return rows.steps !== null;
}

/** The stored size of steps is known without reading them. */
async function readAtOnce(db: Reader, workflowRunId: string): Promise<RowsAtOnce | null> {
  const [rows] = await db.$queryRaw<RowsAtOnce[]>`
    SELECT run.id AS "workflowRunId", run.temporal_run_id AS "temporalRunId", run.generation, run.status,
           round(extract(epoch FROM run.completed_at) * 1000)::float8 AS "completedAtMs",
           run.error_code AS "errorCode", run.error_message AS "errorMessage",
           run.step_count AS "stepCount", run.steps_digest::float8 AS "stepsDigest",
           run.mirror_length AS "mirrorLength", run.mirror_time_ms::float8 AS "mirrorTimeMs",
           run.mirror_seq AS "mirrorSeq", run.dispatched_at IS NOT NULL AS "isDispatched",
           run.confirmed_at IS NOT NULL AS "isConfirmed",
           CASE WHEN all_steps.count <= ${AT_ONCE.steps} AND all_steps.bytes <= ${AT_ONCE.storedBytes}
             THEN (SELECT coalesce(json_agg(step ORDER BY step.ordinal, step.id), '[]') FROM (
               SELECT ${STEP} FROM workflow_run_steps WHERE run_id = run.id) AS step)
           END AS steps
      FROM workflow_runs AS run, LATERAL (
        SELECT count(*), coalesce(sum(pg_column_size(artifacts) + coalesce(pg_column_size(output), 0)), 0) AS bytes
          FROM workflow_run_steps WHERE run_id = run.id) AS all_steps
     WHERE run.id = ${workflowRunId}`;
  return rows ?? null;
}

async function readSlices(db: Reader, workflowRunId: string): Promise<TableStep[]> {
  const steps: TableStep[] = [];
  for (let limit = FIRST_SLICE; ; ) {
    const { ordinal = -1, id = "" } = steps.at(-1) ?? {};
    const [slice] = await db.$queryRaw<{ text: string }[]>`
      SELECT coalesce(json_agg(step ORDER BY step.ordinal, step.id), '[]')::text AS text FROM (
        SELECT ${STEP} FROM workflow_run_steps
         WHERE run_id = ${workflowRunId} AND (ordinal, id) > (${ordinal}::int, ${id})
         ORDER BY ordinal, id LIMIT ${limit}) AS step`;
    const text = slice?.text ?? "[]";
    const read = JSON.parse(text) as TableStep[];
    steps.push(...read);
    if (read.length < limit) return steps;
    if (text.length < SLICE_CHARS.few) limit *= 2;
    if (text.length > SLICE_CHARS.many) limit = Math.max(1, limit / 2);
  }
}

const STEP = Prisma.sql`
  id, run_id, ordinal, step_key, item_index, component_id, component_name, action_type, status, message,
  artifacts::text AS artifacts, output::text AS output, attempt, started_at_ms, finished_at_ms,
  round(extract(epoch FROM created_at) * 1000) AS created_at_ms,
  round(extract(epoch FROM updated_at) * 1000) AS updated_at_ms,
  temporal_run_id, generation, mirror_length, mirror_time_ms, mirror_seq, digest`;
