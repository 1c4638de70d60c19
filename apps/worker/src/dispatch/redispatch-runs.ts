// Dispatches the runs whose start Temporal did not take in time.
import type { Client } from "@temporalio/client";
import { type Database, Prisma } from "@truerun/shared/db";
import { describeExecution } from "@truerun/shared/describe-execution";
import { type DispatchMarks, endUndispatched } from "@truerun/shared/dispatch/dispatch-marks";
import { DISPATCH_WINDOW_HOURS } from "@truerun/shared/dispatch/dispatch-window";
import type { Dispatcher } from "@truerun/shared/dispatch/dispatcher";
import {
  DISPATCHABLE_COLUMNS,
  DISPATCHABLE_JOINS,
  type DispatchableRow,
  toDispatchableRun,
} from "@truerun/shared/dispatch/dispatchable-row";
import type { Logger } from "@truerun/shared/logger";

export interface RedispatchOptions {
  db: Database;
  client: Client;
  dispatcher: Dispatcher;
  marks: DispatchMarks;
  logger: Logger;
}

/** Runs that one sweep claims. */
const BATCH = 50;
/** Runs to choose from: ranking this many takes some 10 ms, ranking a million all of a statement's time. */
const RANKED = 20_000;
/** How long a claim holds: longer than a dispatch may take. Then a dead sweeper's runs are free again. */
const CLAIM_SECONDS = 15;
/** When a run is due again after Temporal did not take it. */
const RETRY_SECONDS = 1;

type ClaimedRow = DispatchableRow & { expired: boolean };

/**
 * One sweep. Any number of processes may sweep: a run is claimed by one at a time, and a run that is
 * dispatched twice is started once.
 *
 * @returns whether there may be more to do at once
 */
export async function redispatchRuns(options: RedispatchOptions): Promise<boolean> {
  const claimed = await claim(options.db);
  // A random one: a single run that Temporal does not take must not hold up all others.
  const probe = claimed[Math.floor(Math.random() * claimed.length)];
  if (probe === undefined) return false;
  const rest = claimed.filter((row) => row !== probe);
  // One run finds out whether Temporal is there; the others wait for the answer.
  if (!(await redispatch(options, probe))) {
    await release(options.db, rest);
    return false;
  }
  const taken = await Promise.all(rest.map((row) => redispatch(options, row)));
  return claimed.length === BATCH && taken.every(Boolean);
}

/** Whether run `r` is the sweeper's: a request that tries it itself, or a sweeper, moves `next_dispatch_at` ahead. */
const IS_DUE = Prisma.sql`r.dispatched_at IS NULL AND r.status = 'started'
  AND r.next_dispatch_at <= now() AND r.parent_run_id IS NULL`;

/** The orgs take turns: 10,000 runs that one left behind do not hold up another's one. */
async function claim(db: Database): Promise<ClaimedRow[]> {
  return await db.$queryRaw<ClaimedRow[]>`
    WITH oldest AS (
      SELECT r.id, r.org_id, r.next_dispatch_at FROM workflow_runs r WHERE ${IS_DUE}
       ORDER BY r.next_dispatch_at LIMIT ${RANKED}
    ), ranked AS MATERIALIZED (
      SELECT id, next_dispatch_at,
             row_number() OVER (PARTITION BY org_id ORDER BY next_dispatch_at) AS turn
        FROM oldest
    ), due AS (
      SELECT r.id FROM ranked JOIN workflow_runs r ON r.id = ranked.id AND ${IS_DUE}
       ORDER BY ranked.turn, ranked.next_dispatch_at LIMIT ${BATCH} FOR UPDATE OF r SKIP LOCKED
    ), claimed AS (
      UPDATE workflow_runs AS run
         SET next_dispatch_at = now() + make_interval(secs => ${CLAIM_SECONDS})
        FROM due WHERE run.id = due.id
      RETURNING run.*
    )
    SELECT ${DISPATCHABLE_COLUMNS},
           r.started_at < now() - make_interval(hours => ${DISPATCH_WINDOW_HOURS}) AS expired
      FROM claimed AS r ${DISPATCHABLE_JOINS}
     ORDER BY r.started_at`;
}

/** @returns false when Temporal cannot be reached */
async function redispatch(options: RedispatchOptions, row: ClaimedRow): Promise<boolean> {
  const { db, dispatcher, marks, logger } = options;
  if (row.expired) return await endExpired(options, row.id);
  const result = await dispatcher.dispatch(toDispatchableRun(row));
  switch (result.kind) {
    case "dispatched":
      marks.add(row.id, result.temporalRunId);
      logger.info({ workflowRunId: row.id }, "run dispatched by the sweeper");
      return true;
    case "rejected":
      await marks.reject(row.id, result.reason);
      return true;
    case "unavailable":
      await release(db, [row]);
      return false;
  }
}

async function release(db: Database, rows: readonly ClaimedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db.$executeRaw`
    UPDATE workflow_runs SET next_dispatch_at = now() + make_interval(secs => ${RETRY_SECONDS})
     WHERE id IN (${Prisma.join(rows.map(({ id }) => id))})`;
}

/** Past the window a run is not started any more, but Temporal may have taken it long ago. */
async function endExpired(
  { db, client, marks, logger }: RedispatchOptions,
  id: string,
): Promise<boolean> {
  try {
    const execution = await describeExecution(client, id);
    if (execution !== null) {
      marks.add(id, execution.runId);
      return true;
    }
  } catch (error) {
    logger.warn({ err: error, workflowRunId: id }, "an expired run cannot be looked up");
    return false;
  }
  const message = `The run could not be dispatched within ${DISPATCH_WINDOW_HOURS} hours.`;
  await endUndispatched(db, { id, status: "failed", code: "dispatch_expired", message });
  return true;
}
