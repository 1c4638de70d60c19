import { Context } from "@temporalio/activity";
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
} from "@temporalio/common";
import { toWorkflowRunId } from "@truerun/shared/batch-id";
import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import type { Logger } from "@truerun/shared/logger";
import type { Component, ComponentContext } from "./component.ts";
import { type AttemptTimes, toComponentFailure, toReadable } from "./component-failure.ts";
import {
  assertFits,
  invalidOutput,
  noResult,
  parseArtifacts,
  parseOrRefuse,
} from "./component-result.ts";
import type { ComponentsConfig } from "./components-config.ts";
import type { ReopenedSteps } from "./mirror/reopened-steps.ts";
import { NO_HEART, startHeartbeat } from "./heartbeat.ts";
import { NotJsonError, toJsonValue } from "./json-value.ts";
import {
  type EarlierAttempts,
  type LocalAttempt,
  MAX_LOCAL_BYTES,
  NOT_LOCAL,
  type ResultEnvelope,
} from "./local-attempt.ts";

/** What component activities share. */
export interface ComponentDependencies {
  logger: Logger;
  config: ComponentsConfig;
  /** The mirror's, where there is one. */
  reopened?: Pick<ReopenedSteps, "take">;
}

/** How long a component may go on once its signal is aborted. Then its attempt ends without it. */
const GIVE_UP_AFTER_MS = 10_000;

/**
 * The Temporal activity of a component. Its argument is the step's resolved `with`; an attempt inside a
 * workflow task gets a second one, about its step, and one that follows it outside a third.
 *
 * @returns a function that rejects with an `ApplicationFailure` whose details are {@link AttemptTimes},
 * or with the `CancelledFailure` of an attempt that was canceled. Its own failure types, all non-retryable:
 * `InvalidInput`, `InvalidOutput`, `OutputTooLarge`; and {@link NOT_LOCAL}.
 */
export function toActivity(
  component: Component,
  dependencies: ComponentDependencies,
): (args: unknown, local?: LocalAttempt, earlier?: EarlierAttempts) => Promise<ResultEnvelope> {
  return async (args, local, earlier) => {
    const startedAt = Date.now();
    const context = Context.current();
    const place = readPlace(context, local, earlier);
    const times = (): AttemptTimes => ({
      attempt: place.attempt,
      started_at_ms: startedAt,
      finished_at_ms: Date.now(),
    });
    const heart = local === undefined ? startHeartbeat(context) : NO_HEART;
    try {
      if (local !== undefined) assertMayBeLocal(local, context, dependencies);
      const input = await parseOrRefuse(component.input, args, {
        type: "InvalidInput",
        place: "with",
      });
      const given = toComponentContext(component, input, {
        context,
        place,
        dependencies,
        ...heart,
      });
      const result: unknown = await untilGivenUp(component.run(given), given);
      const envelope = { ...(await toResult(component, result)), ...times() };
      assertFits(envelope);
      if (local !== undefined) assertFitsTask(envelope);
      return envelope;
    } catch (thrown) {
      const error = toReadable(thrown);
      throw toCancellation(error, context.cancellationSignal) ?? toComponentFailure(error, times());
    } finally {
      heart.stop();
    }
  };
}

/** Equal across the attempts of a step, and unique to that step. */
export function toIdempotencyKey(workflowRunId: string, stepKey: string): string {
  return `${workflowRunId}:${stepKey}`;
}

/** Which attempt of which step it is. */
interface AttemptPlace {
  stepKey: string;
  /** Counted over all of the step's attempts. */
  attempt: number;
  scheduledAtMs: number;
}

function readPlace(
  { info }: Context,
  local: LocalAttempt | undefined,
  earlier: EarlierAttempts | undefined,
): AttemptPlace {
  return {
    stepKey: local?.step_key ?? info.activityId,
    attempt: (earlier?.attempts_before ?? 0) + info.attempt,
    scheduledAtMs: (local ?? earlier)?.scheduled_at_ms ?? info.scheduledTimestampMs,
  };
}

interface AttemptParts {
  context: Context;
  place: AttemptPlace;
  dependencies: ComponentDependencies;
  beat: (details?: Json) => void;
}

function toComponentContext(
  component: Component,
  input: unknown,
  { context, place, dependencies, beat }: AttemptParts,
): ComponentContext<unknown> {
  const { workflowExecution } = context.info;
  const { stepKey, attempt, scheduledAtMs } = place;
  const runId = toWorkflowRunId(workflowExecution?.workflowId ?? "");
  return {
    input,
    config: dependencies.config,
    signal: context.cancellationSignal,
    log: dependencies.logger.child({
      workflowRunId: runId,
      stepKey,
      action: component.action,
      attempt,
    }),
    heartbeat: beat,
    idempotencyKey: toIdempotencyKey(runId, stepKey),
    attempt,
    scheduledAtMs,
    run: { id: runId },
    stepKey,
  };
}

/**
 * The component's result. A component that ignores its signal would keep its slot in the worker for ever and
 * delay the worker's end, so after a while this rejects with the signal's reason instead.
 */
async function untilGivenUp<T>(
  work: Promise<T>,
  { signal, log }: Pick<ComponentContext<unknown>, "signal" | "log">,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const givenUp = new Promise<never>((_, fail) => {
    onAbort = (): void => {
      timer = setTimeout(() => {
        log.error("the component does not answer its signal; its attempt ends without it");
        fail(signal.reason);
      }, GIVE_UP_AFTER_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function toResult(
  component: Component,
  result: unknown,
): Promise<{ output: Json; artifacts: Artifact[] }> {
  if (typeof result !== "object" || result === null) throw noResult();
  const { output, artifacts } = result as { output?: unknown; artifacts?: unknown };
  const parsed = await parseOrRefuse(component.output, output, {
    type: "InvalidOutput",
    place: "output",
  });
  return { output: toJson(parsed), artifacts: await parseArtifacts(artifacts) };
}

function toJson(output: unknown): Json {
  try {
    return toJsonValue(output, "output");
  } catch (error) {
    throw error instanceof NotJsonError ? invalidOutput(error.message) : error;
  }
}

/**
 * Inside a workflow task runs only a step's first attempt, and only if no worker was lost after it had begun the
 * step: the step may be why. Nothing counts the attempts of lost tasks, so a step that ends its worker's process
 * there would end one worker after another. Outside its attempts are counted, and it holds up nothing else.
 *
 * @throws a failure that makes the step run there
 */
function assertMayBeLocal(
  { step_key: stepKey }: LocalAttempt,
  { info }: Context,
  { reopened }: ComponentDependencies,
): void {
  const runId = toWorkflowRunId(info.workflowExecution?.workflowId ?? "");
  // Asked for each attempt, because what is asked for is forgotten.
  const wasLost = reopened?.take(runId, stepKey) === true;
  if (wasLost) throw notLocal("The step has begun before and was lost");
  if (info.attempt > 1) throw notLocal("Another attempt runs outside of the workflow task");
}

/** @throws a failure that makes the step run again outside its task */
function assertFitsTask(envelope: ResultEnvelope): void {
  const bytes = Buffer.byteLength(JSON.stringify(envelope), "utf8");
  if (bytes > MAX_LOCAL_BYTES) throw notLocal(`A workflow task takes no ${bytes} bytes`);
}

/** No failure of the component, so neither logged nor counted as one. */
export function notLocal(message: string): ApplicationFailure {
  const category = ApplicationFailureCategory.BENIGN;
  return ApplicationFailure.create({ message, type: NOT_LOCAL, nonRetryable: true, category });
}

/**
 * The cancellation behind an error, if there is one: the signal's reason, wrapped or not, or what
 * libraries throw for an aborted signal. Any other error is the component's own failure, even if it
 * came after the abort.
 */
function toCancellation(error: unknown, signal: AbortSignal): CancelledFailure | null {
  if (!signal.aborted) return null;
  const reason: unknown = signal.reason;
  const isAbort = error instanceof Error && error.name === "AbortError";
  const isWrapped = error instanceof Error && error.cause === reason;
  if (error instanceof CancelledFailure) return error;
  if (error !== reason && !isAbort && !isWrapped) return null;
  return reason instanceof CancelledFailure ? reason : new CancelledFailure("CANCELLED");
}
