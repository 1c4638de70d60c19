// A step that runs inside its workflow task, as a Temporal local activity.
import { durationMs } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { toOneLine } from "@truerun/shared/storable-text";
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  proxyLocalActivities,
} from "@temporalio/workflow";
import {
  type EarlierAttempts,
  type LocalAttempt,
  MAX_LOCAL_BYTES,
  NOT_LOCAL,
  type ResultEnvelope,
} from "../local-attempt.ts";
import { toFailure, toSuccess } from "./activity-outcome.ts";
import { toRetryPolicy } from "./execute-activity.ts";
import type { Step, StepContext } from "./step.ts";
import type { StepOutcome } from "./step-outcome.ts";

/** A pause before another attempt is spent in a timer, not inside the workflow task. */
const NO_PAUSE_IN_TASK_MS = 1;

/** Whether a step runs inside its workflow task, as far as can be told beforehand. */
export function isLocalStep({ component, bytes }: Step): boolean {
  return component.execution === "local" && bytes <= MAX_LOCAL_BYTES;
}

/**
 * Runs a step inside a workflow task and records it. The interceptor opens it when its turn comes.
 *
 * @returns its outcome; or, if the step has to run like any other after all, what that activity is told
 * @throws CancelledFailure when it is canceled before it began
 */
export async function runLocalStep(
  step: Step,
  { recorder, budget }: StepContext,
): Promise<StepOutcome | EarlierAttempts> {
  return await budget.whilePending(async () => {
    const scheduledAtMs = Date.now();
    const ended = await execute(step, scheduledAtMs).then(toSuccess, (error: unknown) => {
      const failure = toFailure(error, recorder.cancelReasonOf(step.key));
      if (isNotLocal(error)) {
        return { attempts_before: (failure.attempt ?? 1) - 1, scheduled_at_ms: scheduledAtMs };
      }
      if (!recorder.isOpen(step.key)) throw error;
      return failure;
    });
    if (!("attempts_before" in ended)) recorder.close(step.key, ended, { isLocal: true });
    return ended;
  });
}

async function execute(
  { key, component, input }: Step,
  scheduledAtMs: number,
): Promise<ResultEnvelope> {
  const { action, name, retry, timeout } = component;
  type Attempt = (input: JsonObject, attempt: LocalAttempt) => Promise<ResultEnvelope>;
  const activities = proxyLocalActivities<Record<string, Attempt>>({
    // Temporal numbers local activities itself: in its history only the summary tells which step it is.
    summary: toOneLine(name === key ? key : `${key}: ${name}`),
    startToCloseTimeout: durationMs(timeout),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    localRetryThreshold: NO_PAUSE_IN_TASK_MS,
    retry: toRetryPolicy(retry),
  });
  const activity = activities[action];
  if (activity === undefined) throw ApplicationFailure.nonRetryable(`No action '${action}'`);
  return await activity(input, { step_key: key, scheduled_at_ms: scheduledAtMs });
}

function isNotLocal(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === NOT_LOCAL;
}
