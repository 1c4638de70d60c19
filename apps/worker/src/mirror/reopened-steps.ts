import { stepId } from "@truerun/shared/step-id";

/** Steps that have begun before, in a try of their workflow task that was lost: with its worker, most likely. */
export interface ReopenedSteps {
  add(stepIds: readonly string[]): void;
  /** Whether the step is one; it is forgotten then. */
  take(workflowRunId: string, stepKey: string): boolean;
}

/** Only steps inside of workflow tasks are asked for; the others are not kept for ever. */
const MAX_KEPT = 1_000;

export function createReopenedSteps(): ReopenedSteps {
  const kept = new Set<string>();
  return {
    add(stepIds) {
      for (const id of stepIds) kept.add(id);
      for (const id of kept) {
        if (kept.size <= MAX_KEPT) return;
        kept.delete(id);
      }
    },
    take: (workflowRunId, stepKey) => kept.size > 0 && kept.delete(stepId(workflowRunId, stepKey)),
  };
}
