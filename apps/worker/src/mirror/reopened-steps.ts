import { stepId } from "@truerun/shared/step-id";

export interface ReopenedStep {
  run_id: string;
  step_id: string;
}

/** Steps that have begun before, in a try of their workflow task that was lost: with its worker, most likely. */
export interface ReopenedSteps {
  add(steps: readonly ReopenedStep[]): void;
  /** Whether the step is one; it is forgotten then. */
  take(workflowRunId: string, stepKey: string): boolean;
  /** Whether a step of the run was one. */
  hasRun(workflowRunId: string): boolean;
}

/** Only steps inside of workflow tasks are asked for; the others are not kept for ever. */
const MAX_KEPT = 1_000;

export function createReopenedSteps(): ReopenedSteps {
  const steps = new Set<string>();
  const runs = new Set<string>();
  return {
    add(reopened) {
      for (const { run_id: runId, step_id: id } of reopened) {
        keep(steps, id);
        keep(runs, runId);
      }
    },
    take: (workflowRunId, stepKey) =>
      steps.size > 0 && steps.delete(stepId(workflowRunId, stepKey)),
    hasRun: (workflowRunId) => runs.has(workflowRunId),
  };
}

/** The newest stay. */
function keep(kept: Set<string>, id: string): void {
  kept.delete(id);
  kept.add(id);
  if (kept.size > MAX_KEPT) kept.delete(kept.values().next().value ?? "");
}
