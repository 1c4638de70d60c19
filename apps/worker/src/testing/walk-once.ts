// The reconciler's walks, done at once and as often as a test needs them.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { toClosedRunsWalk } from "../reconcile/closed-runs.ts";
import type { ReconcileOptions } from "../reconcile/repair-run.ts";
import { toResetRunsWalk } from "../reconcile/reset-runs.ts";
import { walkVisibility } from "../reconcile/walk-visibility.ts";
import type { RunRow } from "./rig-runs.ts";
import type { WorkerRig } from "./worker-rig.ts";

/** @returns whether more has closed than one walk takes */
export async function confirmClosedRuns(options: ReconcileOptions): Promise<boolean> {
  return (await walkVisibility(toClosedRunsWalk(options))) === null;
}

/** Confirms closed runs until this one's end is confirmed. @returns its rows then */
export async function untilConfirmed(
  rig: ReconcileOptions & Pick<WorkerRig, "getRun">,
  id: string,
): Promise<RunRow> {
  return await waitFor(`the confirmed end of ${id}`, async () => {
    await confirmClosedRuns(rig);
    const run = await rig.getRun(id);
    return run.confirmedAt !== null && run;
  });
}

export async function followResets(options: ReconcileOptions): Promise<void> {
  await walkVisibility(toResetRunsWalk(options));
}
