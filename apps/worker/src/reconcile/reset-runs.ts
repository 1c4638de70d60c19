// Moves the rows of runs that were reset in Temporal over to the Temporal run that took their place.
import type { Database } from "@truerun/shared/db";
import { forEachRun } from "./for-each-run.ts";
import { type ReconcileOptions, repairRun } from "./repair-run.ts";
import { createGlances } from "./glance-visibility.ts";
import type { ListedExecution } from "./list-executions.ts";
import { unconfirm } from "./unconfirm.ts";
import type { Walk } from "./walk-visibility.ts";

/** A reset must be seen within 15 s, even one that entered the list late. */
const WALK_EVERY_MS = 10_000;

/**
 * A loop over the Temporal runs that started and are open. The mirror follows a reset
 * when the new Temporal run first records something; one that waits, or has no worker yet, is found here.
 * One that has ended is found among the closed runs. A run that cannot be repaired loses its confirmed end, so the
 * open runs' loop looks at it again.
 *
 * @returns a pass, which returns whether there is more to do at once
 */
export function createResetRunsPass(options: ReconcileOptions): () => Promise<boolean> {
  return createGlances(toResetRunsWalk(options), { walkEveryMs: WALK_EVERY_MS });
}

/** What the loop walks over: what started since its last walk, and is open. */
export function toResetRunsWalk(options: ReconcileOptions): Walk {
  return {
    db: options.db,
    client: options.client,
    cursor: "resets",
    field: "StartTime",
    filter: 'ExecutionStatus = "Running"',
    async visit(executions) {
      const reset = await findReset(options.db, executions);
      const failed = await forEachRun(options, reset, ({ id }) => repairRun(options, id));
      await unconfirm(options.db, failed);
    },
  };
}

/** The runs whose rows mirror another Temporal run than the one that is open. */
async function findReset(
  db: Database,
  executions: readonly ListedExecution[],
): Promise<{ id: string }[]> {
  const open = executions.map(({ workflowId, temporalRunId }) => ({
    id: workflowId,
    run: temporalRunId,
  }));
  return await db.$queryRaw`
    SELECT run.id
      FROM json_to_recordset(${JSON.stringify(open)}::json) AS o(id text, run text)
      JOIN workflow_runs AS run ON run.id = o.id AND run.temporal_run_id <> o.run`;
}
