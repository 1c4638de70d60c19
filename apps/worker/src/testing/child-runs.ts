// For tests only.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { component, type OtherDefinition, type RunRow } from "./rig-runs.ts";
import type { WorkerRig } from "./worker-rig.ts";

export function runs(name: string, given: JsonObject = {}): ComponentDefinition {
  return component("run", { action: "run_workflow", with: { workflow_name: name, ...given } });
}

/** A workflow that takes this long. */
export function slow(ms: number): OtherDefinition {
  return { components: [component("slow", { action: "slow", with: { ms } })] };
}

/** The rows of a run's child runs, in no certain order. */
export async function childrenOf(rig: WorkerRig, parentRunId: string): Promise<RunRow[]> {
  const rows = await rig.db.workflowRun.findMany({ where: { parentRunId } });
  return await Promise.all(rows.map(({ id }) => rig.getRun(id)));
}

/** The only child of a run, once its steps are under way. */
export async function startedChildOf(rig: WorkerRig, parentRunId: string): Promise<RunRow> {
  return await waitFor("the child run", async () => {
    const [child] = await childrenOf(rig, parentRunId);
    return (child?.steps.length ?? 0) > 0 && child;
  });
}
