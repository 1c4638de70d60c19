// Confirms the ends of runs that Temporal has closed, and repairs those whose rows say something else.
import type { RunStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { findCurrentTemporalRun } from "../mirror/find-current-temporal-run.ts";
import { type ProjectionSource, projectRun } from "../mirror/project-history.ts";
import { writeProjection } from "../mirror/write-projection.ts";
import { asLeader } from "./as-leader.ts";

export interface ReconcileOptions extends ProjectionSource {
  db: Database;
  logger: Logger;
}

/** A run that Temporal has closed. */
interface ClosedRun {
  run_id: string;
  temporal_run_id: string;
  status: Exclude<RunStatus, "started">;
  closed_at_ms: number;
}

/** A closed run whose rows do not say what Temporal says. */
interface Mismatch {
  run_id: string;
  temporal_run_id: string;
  row_temporal_run_id: string | null;
  generation: number;
  closed_at_ms: number;
}

const CURSOR = "closed_runs";
/** Visibility is filled behind the close; what closed this long before the newest seen is looked at again. */
const OVERLAP_MS = 10_000;
/** A pass lists at most what closed in so long: after a pause the reconciler catches up slice by slice. */
const SLICE_MS = 3_600_000;
/** How long a run that cannot be repaired is tried again. */
const RETRY_FOR_MS = 3_600_000;
const BATCH = 200;

/**
 * One pass over what closed since the last one. An end that the interceptor saw is provisional until it was
 * here; terminated and timed-out runs, of whose end no code of ours is told, end here.
 *
 * @returns whether there is more to do at once
 */
export async function confirmClosedRuns(options: ReconcileOptions): Promise<boolean> {
  const more = await asLeader(options.db, CURSOR, (stillHere) => pass(options, stillHere));
  return more ?? false;
}

async function pass(
  options: ReconcileOptions,
  stillHere: () => Promise<unknown>,
): Promise<boolean> {
  const { db, client } = options;
  const cursor = await db.reconcilerCursor.findUnique({ where: { name: CURSOR } });
  const from = (cursor?.position ?? (await findFirstStart(db))).getTime();
  const until = from + SLICE_MS < Date.now() - OVERLAP_MS ? from + SLICE_MS : null;
  let newest = from;
  let firstFailed = Number.POSITIVE_INFINITY;
  let batch: ClosedRun[] = [];
  const flush = async (): Promise<void> => {
    firstFailed = Math.min(firstFailed, await reconcile(options, batch, stillHere));
    batch = [];
  };
  for await (const execution of client.workflow.list({
    query: toQuery(from, until),
    pageSize: BATCH,
  })) {
    const status = STATUSES.get(execution.status.name);
    if (status === undefined || execution.closeTime === undefined) continue;
    const { workflowId: run_id, runId: temporal_run_id } = execution;
    const closed_at_ms = execution.closeTime.getTime();
    newest = Math.max(newest, closed_at_ms);
    batch.push({ run_id, temporal_run_id, status, closed_at_ms });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  const end = until ?? newest;
  // What was not repaired is looked at again, but does not hold everything up for ever.
  const position = new Date(Math.min(end, Math.max(firstFailed, end - RETRY_FOR_MS)));
  await db.reconcilerCursor.upsert({
    where: { name: CURSOR },
    create: { name: CURSOR, position },
    update: { position },
  });
  return until !== null && firstFailed === Number.POSITIVE_INFINITY;
}

/** What of Temporal's statuses is an end, and how it is called here. */
const STATUSES = new Map<string, ClosedRun["status"]>([
  ["COMPLETED", "completed"],
  ["CANCELLED", "canceled"],
  ["FAILED", "failed"],
  ["TERMINATED", "failed"],
  ["TIMED_OUT", "failed"],
]);

function toQuery(from: number, until: number | null): string {
  const after = `CloseTime >= "${new Date(from - OVERLAP_MS).toISOString()}"`;
  const before = until === null ? "" : ` AND CloseTime < "${new Date(until).toISOString()}"`;
  return `WorkflowId STARTS_WITH "cbwr_" AND ExecutionStatus != "Running" AND ${after}${before}`;
}

/** Where the very first pass begins: no run has closed before it was created. */
async function findFirstStart(db: Database): Promise<Date> {
  const { _min: first } = await db.workflowRun.aggregate({ _min: { startedAt: true } });
  return first.startedAt ?? new Date();
}

/** @returns when the first of those closed that could not be repaired; infinity when all are right now */
async function reconcile(
  options: ReconcileOptions,
  closed: readonly ClosedRun[],
  stillHere: () => Promise<unknown>,
): Promise<number> {
  let firstFailed = Number.POSITIVE_INFINITY;
  if (closed.length === 0) return firstFailed;
  for (const mismatch of await confirm(options.db, closed)) {
    await stillHere();
    try {
      await repair(options, mismatch);
    } catch (error) {
      firstFailed = Math.min(firstFailed, mismatch.closed_at_ms);
      options.logger.error(
        { err: error, workflowRunId: mismatch.run_id },
        "a closed run was not repaired",
      );
    }
  }
  return firstFailed;
}

/** Confirms in one statement all whose rows agree in status, number and digest of steps; gives the others. */
async function confirm(db: Database, closed: readonly ClosedRun[]): Promise<Mismatch[]> {
  return await db.$queryRaw<Mismatch[]>`
    WITH closed AS (
      SELECT * FROM json_to_recordset(${JSON.stringify(closed)}::json)
        AS c(run_id text, temporal_run_id text, status text, closed_at_ms double precision)
    ), confirmed AS (
      UPDATE workflow_runs AS run
         SET confirmed_at = now(), completed_at = to_timestamp(c.closed_at_ms / 1000)
        FROM closed AS c
       WHERE run.id = c.run_id AND run.temporal_run_id = c.temporal_run_id
         AND run.confirmed_at IS NULL AND run.status = c.status
         AND (run.step_count, run.steps_digest) = (
           SELECT count(*), coalesce(sum(step.digest), 0) FROM workflow_run_steps AS step
            WHERE step.run_id = run.id AND step.generation = run.generation)
      RETURNING run.id
    )
    SELECT run.id AS run_id, c.temporal_run_id, run.temporal_run_id AS row_temporal_run_id,
           run.generation, c.closed_at_ms
      FROM closed AS c
      JOIN workflow_runs AS run ON run.id = c.run_id
     WHERE run.id NOT IN (SELECT id FROM confirmed)
       -- A confirmed row that mirrors another Temporal run is older than this one, or newer. One that
       -- mirrors none ended without being dispatched: this Temporal run is a stray.
       AND (run.confirmed_at IS NULL OR run.temporal_run_id <> c.temporal_run_id)`;
}

async function repair(options: ReconcileOptions, mismatch: Mismatch): Promise<void> {
  const { db, client, logger } = options;
  const { run_id, temporal_run_id, row_temporal_run_id, generation } = mismatch;
  // The list is a hint: a closed Temporal run may have been reset since.
  if ((await findCurrentTemporalRun(client, run_id)) !== temporal_run_id) return;
  const projection = await projectRun(options, run_id, temporal_run_id);
  const from = { temporalRunId: row_temporal_run_id, generation };
  if (await writeProjection(db, projection, from)) {
    logger.info({ workflowRunId: run_id, temporalRunId: temporal_run_id }, "closed run repaired");
  }
}
