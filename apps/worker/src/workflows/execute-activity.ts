import type { ComponentDefinition, RetryPolicy } from "@truerun/shared/contracts/definition";
import { durationMs } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { EarlierAttempts } from "../local-attempt.ts";
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

/** The second argument is that of attempts inside workflow tasks: `toActivity` says what they are. */
type Activity<T> = (input: JsonObject, local?: undefined, earlier?: EarlierAttempts) => Promise<T>;

/**
 * Runs a step's component on the worker that serves it.
 *
 * @param earlier - of attempts that are used up: the activity gets those that are left
 * @returns what that worker returned
 */
export async function executeActivity<T>(step: Step, earlier?: EarlierAttempts): Promise<T> {
  const { action, retry, timeout } = step.component;
  const activities = proxyActivities<Record<string, Activity<T>>>({
    activityId: step.key,
    summary: summaryOf(step),
    startToCloseTimeout: durationMs(timeout),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: toRetryPolicy(retry, earlier?.attempts_before),
    ...toPlace(step.component),
  });
  const activity = activities[action];
  if (activity === undefined) throw ApplicationFailure.nonRetryable(`No action '${action}'`);
  if (earlier === undefined) return await activity(step.input);
  return await activity(step.input, undefined, earlier);
}

/** What is left of a component's retry policy after some attempts, as Temporal takes it. */
export function toRetryPolicy(
  retry: RetryPolicy,
  attemptsBefore = 0,
): NonNullable<ActivityOptions["retry"]> {
  const { backoff_coefficient: backoffCoefficient } = retry;
  const maximumInterval = durationMs(retry.max_interval);
  const nextInterval = durationMs(retry.initial_interval) * backoffCoefficient ** attemptsBefore;
  return {
    maximumAttempts: retry.max_attempts - attemptsBefore,
    initialInterval: Math.min(nextInterval, maximumInterval),
    backoffCoefficient,
    maximumInterval,
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
