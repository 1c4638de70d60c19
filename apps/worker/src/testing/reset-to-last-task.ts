// For tests only.
import type { RunRow } from "./rig-runs.ts";
import type { WorkerRig } from "./worker-rig.ts";

/** As in Temporal Web UI: "reset to the last workflow task". @returns the id of the new Temporal run */
export async function resetToLastTask(rig: WorkerRig, run: RunRow): Promise<string> {
  const { events } = await rig.client.workflow.getHandle(run.id).fetchHistory();
  const last = events?.findLast((event) => event.workflowTaskCompletedEventAttributes != null);
  return await rig.reset(run, Number(last?.eventId));
}
