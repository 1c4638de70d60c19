import { forgetOldest } from "@truerun/shared/forget-oldest";
import { stepId } from "@truerun/shared/step-id";

/** A step that begins again: it had begun in a try of its workflow task that was lost. */
export interface ReopenedStep {
  run_id: string;
  step_id: string;
  /** Whether it had no outcome when its task was lost: it may be the reason. */
  was_open: boolean;
  /** Workflow time at which it was last written, in ms. */
  kept_ms: number;
  /** Workflow time at which it begins now, in ms. */
  begins_ms: number;
}

/**
 * The steps that had begun in workflow tasks that were lost, most likely with their workers. See
 * docs/decisions/0014-local-records-go-along.md.
 */
export interface ReopenedSteps {
  add(steps: readonly ReopenedStep[]): void;
  /**
   * Whether a step is to run outside its workflow task: it was open when its task was lost, or is the first of
   * that task to be asked for. What is known of it is forgotten.
   */
  take(workflowRunId: string, stepKey: string): boolean;
  /** Whether a step of the run has begun again: then each must be written before it runs, as one may end workers. */
  hasRun(workflowRunId: string): boolean;
}

/** Only steps inside workflow tasks are ever asked for; the others must not be kept for ever. */
const MAX_KEPT = 1_000;

/** For one process. Keeps the newest thousand: an older one that is asked for runs as if it had never begun. */
export function createReopenedSteps(): ReopenedSteps {
  const steps = new Map<string, ReopenedStep>();
  /** By run: when the step that was taken last began again. What was written before that was lost with it. */
  const takenAt = new Map<string, number>();
  return {
    add(reopened) {
      for (const step of reopened) {
        keep(steps, step.step_id, step);
        keep(takenAt, step.run_id, takenAt.get(step.run_id) ?? 0);
      }
    },
    take(workflowRunId, stepKey) {
      if (steps.size === 0) return false;
      const id = stepId(workflowRunId, stepKey);
      const step = steps.get(id);
      steps.delete(id);
      if (step === undefined) return false;
      if (!step.was_open && step.kept_ms < (takenAt.get(workflowRunId) ?? 0)) return false;
      keep(takenAt, workflowRunId, step.begins_ms);
      return true;
    },
    hasRun: (workflowRunId) => takenAt.has(workflowRunId),
  };
}

/** Keeps only the newest. */
function keep<T>(kept: Map<string, T>, id: string, value: T): void {
  kept.delete(id);
  kept.set(id, value);
  forgetOldest(kept, MAX_KEPT);
}
