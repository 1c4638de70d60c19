// Ends the rows of child runs that nobody will start any more.
import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { type DispatchMarks, endUndispatched } from "@truerun/shared/dispatch/dispatch-marks";
import type { Logger } from "@truerun/shared/logger";
import { describeExecution, isClosed } from "@truerun/shared/describe-execution";
import { AwayError, unlessAway } from "../unless-away.ts";

export interface UnstartedChildrenOptions {
  db: Database;
  client: Client;
  marks: DispatchMarks;
  logger: Logger;
}

const BATCH = 50;
/** How long a claim holds, and when a child whose parent run may still start it is looked at again. */
const LOOK_AGAIN_SECONDS = 60;

interface UnstartedChild {
  id: string;
  parent_run_id: string;
  parent_temporal_run_id: string;
}

/**
 * Looks once at the child runs whose start is overdue. A parent run inserts a child's row and starts the
 * child in the same workflow task; between the two it may be canceled, terminated or reset, and then
 * nothing ever starts the child. Any number of processes may look: each row is claimed by one at a time.
 *
 * @returns whether there may be more to do at once
 * @throws AwayError
 */
export async function endUnstartedChildren(options: UnstartedChildrenOptions): Promise<boolean> {
  const { db, logger } = options;
  const children = await claim(db);
  for (const child of children) {
    try {
      await unlessAway(options, () => look(options, child));
    } catch (error) {
      if (error instanceof AwayError) throw error;
      logger.warn({ err: error, workflowRunId: child.id }, "a child run cannot be looked up");
    }
  }
  return children.length === BATCH;
}

async function claim(db: Database): Promise<UnstartedChild[]> {
  return await db.$queryRaw<UnstartedChild[]>`
    UPDATE workflow_runs AS run
       SET next_dispatch_at = now() + ${LOOK_AGAIN_SECONDS}::int * interval '1 second'
     WHERE id IN (
       SELECT id FROM workflow_runs
        WHERE dispatched_at IS NULL AND status = 'started' AND next_dispatch_at <= now()
          AND parent_run_id IS NOT NULL
        ORDER BY next_dispatch_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
    RETURNING id, parent_run_id, parent_temporal_run_id`;
}

async function look(options: UnstartedChildrenOptions, child: UnstartedChild): Promise<void> {
  const { db, client, marks, logger } = options;
  // The parent first: one that is over cannot start the child between the two looks.
  const isOver = await isParentOver(client, child);
  const started = await describeExecution(client, child.id);
  if (started !== null) {
    marks.add(child.id, started.runId);
    return;
  }
  if (!isOver) return;
  const message = "The run that was to start this one ended, or was reset, before it did.";
  const end = { id: child.id, status: "canceled", code: "workflow_canceled", message } as const;
  if (await endUndispatched(db, end)) {
    logger.info({ workflowRunId: child.id }, "ended a child run that was never started");
  }
}

/** Whether the Temporal run that made the child's row will do nothing more. */
async function isParentOver(client: Client, child: UnstartedChild): Promise<boolean> {
  const parent = await describeExecution(client, child.parent_run_id);
  if (parent === null || isClosed(parent)) return true;
  return parent.runId !== child.parent_temporal_run_id;
}
