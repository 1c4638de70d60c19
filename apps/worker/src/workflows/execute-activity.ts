import type { ComponentDefinition, RetryPolicy } from "@truerun/shared/contracts/definition";
import { durationMs } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import {
  ActivityCancellationType,
  type ActivityOptions,
  ApplicationFailure,
  proxyActivities,
} from "@temporalio/workflow";
import { type Step, summaryOf } from "./step.ts";

/** A worker that is gone is noticed this soon; component activities heartbeat every two seconds. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Failure types of SDKs for an action that the worker does not know (the second is Go's), and for a result over
 * Temporal's limit: another attempt would end the same way.
 */
const HOPELESS = ["NotFoundError", "ActivityNotRegisteredError", "PayloadsTooLarge"];

/** Runs a step's component on the worker that serves it. @returns what that worker returned */
export async function executeActivity<T>(step: Step): Promise<T> {
  const { action, retry, timeout } = step.component;
  const activities = proxyActivities<Record<string, (input: JsonObject) => Promise<T>>>({
    activityId: step.key,
    summary: summaryOf(step),
    startToCloseTimeout: durationMs(timeout),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: toRetryPolicy(retry),
    ...toPlace(step.component),
  });
  const activity = activities[action];
  if (activity === undefined) throw ApplicationFailure.nonRetryable(`No action '${action}'`);
  return await activity(step.input);
}

/** A component's retry policy as Temporal takes it. */
export function toRetryPolicy(retry: RetryPolicy): NonNullable<ActivityOptions["retry"]> {
  return {
    maximumAttempts: retry.max_attempts,
    initialInterval: durationMs(retry.initial_interval),
    backoffCoefficient: retry.backoff_coefficient,
    maximumInterval: durationMs(retry.max_interval),
    nonRetryableErrorTypes: HOPELESS,
  };
}

/** Where a component runs, and how long its worker may be silent. */
function toPlace({
  task_queue: taskQueue,
  heartbeat_timeout: heartbeatTimeout,
}: ComponentDefinition): Pick<ActivityOptions, "taskQueue" | "heartbeatTimeout"> {
  if (taskQueue === undefined) return { heartbeatTimeout: HEARTBEAT_TIMEOUT_MS };
  if (heartbeatTimeout === undefined) return { taskQueue };
  return { taskQueue, heartbeatTimeout: durationMs(heartbeatTimeout) };
}
