import { stepId } from "@truerun/shared/step-id";

export interface ReopenedStep {
  run_id: string;
  step_id: string;
  /** It had no outcome when its task was lost: it may be the reason. */
  was_open: boolean;
}

/**
 * Steps that have begun before, in a try of their workflow task that was lost: with its worker, most likely. See
 * docs/decisions/0014-local-records-go-along.md.
 */
export interface ReopenedSteps {
  add(steps: readonly ReopenedStep[]): void;
  /**
   * Whether the step is to run outside of its workflow task: it was open, or is the first one of its run that
   * begins again. It is forgotten then.
   */
  take(workflowRunId: string, stepKey: string): boolean;
  /** Whether a step of the run has begun again: which one ends workers must be in its row before it runs. */
  hasRun(workflowRunId: string): boolean;
}

/** Only steps inside of workflow tasks are asked for; the others are not kept for ever. */
const MAX_KEPT = 1_000;

export function createReopenedSteps(): ReopenedSteps {
  const steps = new Set<string>();
  const runs = new Set<string>();
  return {
    add(reopened) {
      for (const { run_id: runId, step_id: id, was_open: wasOpen } of reopened) {
        if (wasOpen || !runs.has(runId)) keep(steps, id);
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
