// Runs one step: the engine's own actions here, every other as a Temporal activity, regular or local.
import { isEngineAction } from "@truerun/shared/engine/engine-actions";
import { patched } from "@temporalio/workflow";
import type { EarlierAttempts, ResultEnvelope } from "../local-attempt.ts";
import { isEnvelope, toFailure, toSuccess } from "./activity-outcome.ts";
import { runEngineAction } from "./run-engine-action.ts";
import { executeActivity } from "./execute-activity.ts";
import { runExternalStep } from "./external-step.ts";
import { isLocalStep, runLocalStep } from "./local-step.ts";
import { ANY_RESULT_IS_AN_OUTPUT } from "./patches.ts";
import type { Step, StepContext } from "./step.ts";
import type { StepOutcome } from "./step-outcome.ts";

/** Runs a step to its outcome, which is recorded by then. Never rejects. */
export async function runStep(step: Step, context: StepContext): Promise<StepOutcome> {
  const { action, task_queue: taskQueue } = step.component;
  if (isEngineAction(action)) return await runEngineAction(step, action, context);
  try {
    if (taskQueue !== undefined) return await runExternalStep(step, context);
    if (!isLocalStep(step)) return await runActivity(step, context);
    const local = await runLocalStep(step, context);
    return "attempts_before" in local ? await runActivity(step, context, local) : local;
  } catch (error) {
    // One that was canceled while it waited for its place never started, and has no step; unless it had begun
    // inside a workflow task.
    const { recorder } = context;
    const outcome = toFailure(error, recorder.cancelReasonOf(step.key));
    if (recorder.isOpen(step.key)) recorder.close(step.key, outcome);
    return outcome;
  }
}

/** Whether a step is scheduled with its input. What the engine does itself, or runs inside the task, is not. */
export function isScheduled(step: Step): boolean {
  return !isEngineAction(step.component.action) && !isLocalStep(step);
}

/** The outcome as the interceptor has recorded it: it sees what comes back before the interpreter does. */
async function runActivity(
  step: Step,
  { budget }: StepContext,
  earlier?: EarlierAttempts,
): Promise<StepOutcome> {
  const result = await budget.whilePending(() => executeActivity<unknown>(step, earlier));
  if (isEnvelope(result) || patched(ANY_RESULT_IS_AN_OUTPUT)) return toSuccess(result);
  return { status: "success", message: null, ...(result as ResultEnvelope) };
}
