// Runs one step: the engine's own actions here, every other as a Temporal activity.
import { durationMs } from "@truerun/shared/contracts/duration";
import { isEngineAction } from "@truerun/shared/engine/engine-actions";
import {
  ActivityCancellationType,
  ApplicationFailure,
  proxyActivities,
} from "@temporalio/workflow";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { ResultEnvelope } from "../component-activity.ts";
import { toFailure, toSuccess } from "./activity-outcome.ts";
import { runEngineAction } from "./engine-action.ts";
import { type Step, type StepContext, summaryOf } from "./step.ts";
import type { StepOutcome } from "./step-recorder.ts";

/** A worker that is gone is noticed this soon; component activities heartbeat every two seconds. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/** Runs a step to its outcome, which is recorded by then. Never rejects. */
export async function runStep(step: Step, context: StepContext): Promise<StepOutcome> {
  const { action } = step.component;
  return isEngineAction(action)
    ? await runEngineAction(step, action, context)
    : await runActivity(step, context);
}

/** The outcome as the interceptor has recorded it: it sees what comes back before the interpreter does. */
async function runActivity(step: Step, { recorder, budget }: StepContext): Promise<StepOutcome> {
  try {
    return toSuccess(await budget.whilePending(() => executeActivity(step)));
  } catch (error) {
    // One that was canceled while it waited for its place never started, and has no step.
    return toFailure(error, recorder.cancelReasonOf(step.key));
  }
}

async function executeActivity(step: Step): Promise<ResultEnvelope> {
  const { action, retry, timeout } = step.component;
  const activities = proxyActivities<
    Record<string, (input: JsonObject) => Promise<ResultEnvelope>>
  >({
    activityId: step.key,
    summary: summaryOf(step),
    startToCloseTimeout: durationMs(timeout),
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      maximumAttempts: retry.max_attempts,
      initialInterval: durationMs(retry.initial_interval),
      backoffCoefficient: retry.backoff_coefficient,
      maximumInterval: durationMs(retry.max_interval),
      // An action that no worker knows stays unknown; Temporal would retry it for ever.
      nonRetryableErrorTypes: ["NotFoundError"],
    },
  });
  const activity = activities[action];
  if (activity === undefined) throw ApplicationFailure.nonRetryable(`No action '${action}'`);
  return await activity(step.input);
}
