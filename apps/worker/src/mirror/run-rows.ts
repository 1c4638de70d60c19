import type { RunStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import type { StepRow } from "./mirror-record.ts";

/** A run as the tables say it is, read in one statement. */
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

/** Null when there is no such run. */
export async function readRunRows(
  db: Pick<Database, "$queryRaw">,
  workflowRunId: string,
): Promise<RunRows | null> {
  const [rows] = await db.$queryRaw<RunRows[]>`
    SELECT run.id AS "workflowRunId", run.temporal_run_id AS "temporalRunId", run.generation, run.status,
           round(extract(epoch FROM run.completed_at) * 1000)::float8 AS "completedAtMs",
           run.error_code AS "errorCode", run.error_message AS "errorMessage",
           run.step_count AS "stepCount", run.steps_digest::float8 AS "stepsDigest",
           run.mirror_length AS "mirrorLength", run.mirror_time_ms::float8 AS "mirrorTimeMs",
           run.mirror_seq AS "mirrorSeq", run.dispatched_at IS NOT NULL AS "isDispatched",
           run.confirmed_at IS NOT NULL AS "isConfirmed",
           (SELECT coalesce(json_agg(step ORDER BY step.ordinal, step.id), '[]') FROM (
              SELECT id, run_id, ordinal, step_key, item_index, component_id, component_name, action_type,
                     status, message, artifacts::text AS artifacts, output::text AS output, attempt,
                     started_at_ms, finished_at_ms,
                     round(extract(epoch FROM created_at) * 1000) AS created_at_ms,
                     round(extract(epoch FROM updated_at) * 1000) AS updated_at_ms,
                     temporal_run_id, generation, mirror_length, mirror_time_ms, mirror_seq, digest
                FROM workflow_run_steps WHERE run_id = run.id) AS step) AS steps
      FROM workflow_runs AS run WHERE run.id = ${workflowRunId}`;
  return rows ?? null;
}
