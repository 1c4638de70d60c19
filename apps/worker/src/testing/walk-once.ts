// The reconciler's walks, done at once and as often as a test needs them.
import { toClosedRunsWalk } from "../reconcile/closed-runs.ts";
import type { ReconcileOptions } from "../reconcile/repair-run.ts";
import { toResetRunsWalk } from "../reconcile/reset-runs.ts";
import { walkVisibility } from "../reconcile/walk-visibility.ts";

/** @returns whether more has closed than one walk takes */
export async function confirmClosedRuns(options: ReconcileOptions): Promise<boolean> {
  return (await walkVisibility(toClosedRunsWalk(options))) === null;
}

export async function followResets(options: ReconcileOptions): Promise<void> {
  await walkVisibility(toResetRunsWalk(options));
}
