// Moves the rows of runs that were reset in Temporal over to the Temporal run that took their place.
import type { WorkflowExecutionInfo } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { forEachRun } from "./for-each-run.ts";
import { type ReconcileOptions, repairRun } from "./repair-run.ts";
import { walkVisibility } from "./walk-visibility.ts";

/**
 * One pass over the Temporal runs that started since the last one and are open. The mirror follows a reset
 * when the new Temporal run first records something; one that waits, or has no worker yet, is found here.
 * One that has ended is found among the closed runs.
 *
 * @returns whether there is more to do at once
 */
export async function followResets(options: ReconcileOptions): Promise<boolean> {
  return await walkVisibility({
    ...options,
    cursor: "resets",
    field: "StartTime",
    filter: 'ExecutionStatus = "Running"',
    async visit(executions) {
      const reset = await findReset(options.db, executions);
      await forEachRun(options, reset, ({ id }) => repairRun(options, id));
    },
  });
}

/** The runs whose rows mirror another Temporal run than the one that is open. */
async function findReset(
  db: Database,
  executions: readonly WorkflowExecutionInfo[],
): Promise<{ id: string }[]> {
  const open = executions.map(({ workflowId, runId }) => ({ id: workflowId, run: runId }));
  return await db.$queryRaw`
    SELECT run.id
      FROM json_to_recordset(${JSON.stringify(open)}::json) AS o(id text, run text)
      JOIN workflow_runs AS run ON run.id = o.id AND run.temporal_run_id <> o.run`;
}
