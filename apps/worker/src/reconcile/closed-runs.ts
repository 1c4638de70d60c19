// Confirms the ends of runs that Temporal has closed, and repairs those whose rows say something else.
import type { RunStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import { describeExecution } from "@truerun/shared/describe-execution";
import { WorkflowExecutionStatus } from "@truerun/shared/temporal-values";
import { STEPS_AGREE, UNCONFIRMED } from "../mirror/mirror-statement.ts";
import { findLateWritten } from "./late-writes.ts";
import { forEachRun } from "./for-each-run.ts";
import { type ReconcileOptions, repairRun } from "./repair-run.ts";
import { createGlances } from "./glance-visibility.ts";
import type { ListedExecution } from "./list-executions.ts";
import { unconfirm } from "./unconfirm.ts";
import type { Walk } from "./walk-visibility.ts";

interface ClosedRun {
  run_id: string;
  temporal_run_id: string;
  status: Exclude<RunStatus, "started">;
  closed_at_ms: number;
  history_length: number;
}

/** A closed run whose row does not say what Temporal says. */
interface Mismatch {
  id: string;
  temporal_run_id: string;
}

/**
 * How often everything that closed is walked. A run that entered the list late has an unconfirmed row until then,
 * which the open runs' loop looks at meanwhile.
 */
const WALK_EVERY_MS = 30_000;

/**
 * A loop over the runs that closed. An end that the interceptor saw is provisional until it is confirmed here;
 * terminated and timed-out runs, whose end no code of ours is told of, get theirs here. A run that cannot be
 * repaired stays unconfirmed, so the open runs' loop looks at it again.
 *
 * @returns a pass, which returns whether there is more to do at once
 */
export function createClosedRunsPass(
  options: ReconcileOptions,
  { walkEveryMs = WALK_EVERY_MS } = {},
): () => Promise<boolean> {
  return createGlances(toClosedRunsWalk(options), { walkEveryMs });
}

/** What the loop walks over: what closed since its last walk. */
export function toClosedRunsWalk(options: ReconcileOptions): Walk {
  const { db, client } = options;
  return {
    db,
    client,
    cursor: "closed_runs",
    field: "CloseTime",
    filter: 'ExecutionStatus != "Running"',
    async visit(executions) {
      const { confirmed, mismatches } = await confirm(db, executions.flatMap(toClosedRun));
      const failed = await forEachRun(options, mismatches, async ({ id, temporal_run_id }) => {
        // The list is a hint: a closed Temporal run may have been reset since.
        const current = await describeExecution(client, id);
        if (current?.runId === temporal_run_id) await repairRun(options, id);
      });
      await unconfirm(db, [...failed, ...(await findLateWritten(db, confirmed))]);
    },
  };
}

/** Temporal's statuses that are an end, and what each is called here. */
const STATUSES = new Map<number, ClosedRun["status"]>([
  [WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED, "completed"],
  [WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED, "failed"],
  [WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED, "canceled"],
  [WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED, "failed"],
  [WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, "failed"],
]);

/**
 * The most that lies between the start of the task that closes a run and the end of its history, besides the
 * results of local activities, which the end counts. A try of that task that Temporal did not accept may have
 * recorded an end too, and the records of the accepted one may be lost. Then the history has at least three
 * more events (failed or timed out, scheduled, started); or, from the third try on, which takes the second's
 * place in the history, the tries lie seconds apart.
 */
const CLOSING_TASK = { events: 4, ms: 5_000 };

function toClosedRun(execution: ListedExecution): ClosedRun[] {
  const { workflowId, temporalRunId, status, closeTimeMs, historyLength } = execution;
  const ended = STATUSES.get(status);
  if (ended === undefined || closeTimeMs === null) return [];
  const ids = { run_id: workflowId, temporal_run_id: temporalRunId };
  return [{ ...ids, status: ended, closed_at_ms: closeTimeMs, history_length: historyLength }];
}

/**
 * Confirms in one statement all runs whose rows agree in status, number and digest of steps, and whose end was
 * recorded by the task that closed them; returns those and the mismatches. Each is looked up by its id: see
 * {@link UNCONFIRMED}.
 */
async function confirm(
  db: Database,
  closed: readonly ClosedRun[],
): Promise<{ confirmed: string[]; mismatches: Mismatch[] }> {
  const runs = await db.$queryRaw<(Mismatch & { confirmed: boolean })[]>`
    WITH closed AS (
      SELECT * FROM json_to_recordset(${JSON.stringify(closed)}::json)
        AS c(run_id text, temporal_run_id text, status text, closed_at_ms double precision, history_length int)
    ), confirmed AS (
      UPDATE workflow_runs AS run
         SET confirmed_at = now(), completed_at = to_timestamp(c.closed_at_ms / 1000)
        FROM closed AS c
       WHERE run.id = ANY (ARRAY[c.run_id]) AND ${UNCONFIRMED}
         AND run.temporal_run_id = c.temporal_run_id AND run.status = c.status
         AND c.history_length - run.mirror_length - run.closing_markers <= ${CLOSING_TASK.events}
         AND c.closed_at_ms - run.mirror_time_ms <= ${CLOSING_TASK.ms}
         AND ${STEPS_AGREE}
      RETURNING run.id, run.temporal_run_id
    )
    SELECT id, temporal_run_id, true AS confirmed FROM confirmed
    UNION ALL
    SELECT run.id, c.temporal_run_id, false
      FROM closed AS c
      JOIN workflow_runs AS run ON run.id = ANY (ARRAY[c.run_id])
     WHERE run.id NOT IN (SELECT id FROM confirmed)
       -- A confirmed row that mirrors another Temporal run is older than this one, or newer. One that
       -- mirrors none ended without being dispatched: this Temporal run is a stray.
       AND (run.confirmed_at IS NULL OR run.temporal_run_id <> c.temporal_run_id)`;
  return {
    confirmed: runs.filter(({ confirmed }) => confirmed).map(({ id }) => id),
    mismatches: runs.filter(({ confirmed }) => !confirmed),
  };
}
