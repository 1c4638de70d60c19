import type { Logger } from "@truerun/shared/logger";
import type { InspectionSource } from "../mirror/inspect-run.ts";
import { endLostRun } from "../reconcile/lost-runs.ts";
import { repairRun } from "../reconcile/repair-run.ts";
import type { RunVerdict } from "./audit-runs.ts";

/**
 * Rewrites what was found different, under the reconciler's own guard, and deletes steps that belong to no
 * run. Only another audit tells whether all is right then.
 */
export async function repairRuns(
  source: InspectionSource & { logger: Logger },
  verdicts: ReadonlyMap<string, RunVerdict>,
): Promise<void> {
  const { db } = source;
  const options = { ...source, metrics: { repaired: () => undefined } };
  for (const [id, verdict] of verdicts) {
    if (verdict.kind !== "different") continue;
    if (verdict.isGone) await endLostRun(db, verdict.rows);
    else await repairRun(options, id);
  }
  await db.$executeRaw`
    DELETE FROM workflow_run_steps AS step
     WHERE NOT EXISTS (SELECT FROM workflow_runs AS run WHERE run.id = step.run_id)`;
}
