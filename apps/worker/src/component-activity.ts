import { Context } from "@temporalio/activity";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import type { Logger } from "@truerun/shared/logger";
import type { Component, ComponentContext } from "./component.ts";
import { type AttemptTimes, toComponentFailure, toReadable } from "./component-failure.ts";
import { artifactsSchema, assertFits, invalidOutput, parseOrRefuse } from "./component-result.ts";
import type { ComponentsConfig } from "./components-config.ts";
import type { ReopenedSteps } from "./mirror/reopened-steps.ts";
import { NotJsonError, toJsonValue } from "./json-value.ts";
import {
  type LocalAttempt,
  MAX_LOCAL_BYTES,
  NOT_LOCAL,
  type ResultEnvelope,
} from "./local-attempt.ts";

/** What component activities share. */
export interface ComponentDependencies {
  logger: Logger;
  config: ComponentsConfig;
  /** Of the mirror, where there is one. */
  reopened?: Pick<ReopenedSteps, "take">;
}

/** A cancellation is told to the attempt in the answer to a heartbeat, so this is how soon it hears of it. */
const FIRST_HEARTBEAT_MS = 1_000;
const HEARTBEAT_MS = 2_000;

/** How long a component may go on after its signal. Then its attempt ends without it. */
const GIVE_UP_AFTER_MS = 10_000;

/**
 * The Temporal activity of a component. Its argument is the step's resolved `with`; an attempt inside of a
 * workflow task is told of its step by another one.
 *
 * @returns a function that rejects with an `ApplicationFailure` whose details are {@link AttemptTimes},
 * or with the `CancelledFailure` of an attempt that was canceled. Types of its own, all non-retryable:
 * `InvalidInput`, `InvalidOutput`, `OutputTooLarge`; and {@link NOT_LOCAL}.
 */
export function toActivity(
  component: Component,
  dependencies: ComponentDependencies,
): (args: unknown, local?: LocalAttempt) => Promise<ResultEnvelope> {
  return async (args, local) => {
    const startedAt = Date.now();
    const context = Context.current();
    const times = (): AttemptTimes => ({
      attempt: context.info.attempt,
      started_at_ms: startedAt,
      finished_at_ms: Date.now(),
    });
    const heart = local === undefined ? startHeartbeat(context) : NO_HEART;
    try {
      if (local !== undefined) assertNotReopened(local, context, dependencies);
      const input = await parseOrRefuse(component.input, args, {
        type: "InvalidInput",
        place: "with",
      });
      const given = toComponentContext(component, input, {
        context,
        local,
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

/** Equal across the attempts of a step, and of no other step. */
export function toIdempotencyKey(workflowRunId: string, stepKey: string): string {
  return `${workflowRunId}:${stepKey}`;
}

/** The run that an activity belongs to; batches have ids such as `cbwr_.../each[0-99]/1f2e3d4c`. */
function toWorkflowRunId(workflowId: string): string {
  return workflowId.split("/", 1)[0] ?? workflowId;
}

interface AttemptParts {
  context: Context;
  local: LocalAttempt | undefined;
  dependencies: ComponentDependencies;
  beat: (details?: Json) => void;
}

function toComponentContext(
  component: Component,
  input: unknown,
  { context, local, dependencies, beat }: AttemptParts,
): ComponentContext<unknown> {
  const { activityId, attempt, scheduledTimestampMs, workflowExecution } = context.info;
  const stepKey = local?.step_key ?? activityId;
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
    scheduledAtMs: local?.scheduled_at_ms ?? scheduledTimestampMs,
    run: { id: runId },
    stepKey,
  };
}

/**
 * The component's result; but one that does not answer its signal would hold its place in the worker for
 * ever, and the worker's end back, so after a while the signal's reason stands in for it.
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

/** Inside of a workflow task nobody waits for a sign of life: the task itself is one. */
const NO_HEART: ReturnType<typeof startHeartbeat> = {
  beat: (given) => void (given === undefined || toJsonValue(given, "heartbeat details")),
  stop: () => undefined,
};

/** Heartbeats until stopped, repeating the details that the component gave last. */
function startHeartbeat(context: Context): { beat: (details?: Json) => void; stop: () => void } {
  let details: Json | undefined;
  let timer = setTimeout(tick, FIRST_HEARTBEAT_MS);
  function tick(): void {
    context.heartbeat(details);
    timer = setTimeout(tick, HEARTBEAT_MS);
  }
  return {
    beat(given) {
      details = given === undefined ? undefined : toJsonValue(given, "heartbeat details");
      context.heartbeat(details);
    },
    stop: () => clearTimeout(timer),
  };
}

async function toResult(
  component: Component,
  result: unknown,
): Promise<{ output: Json; artifacts: Artifact[] }> {
  if (typeof result !== "object" || result === null) {
    throw invalidOutput("The component must return an object with the member output");
  }
  const { output, artifacts } = result as { output?: unknown; artifacts?: unknown };
  const parsed = await parseOrRefuse(component.output, output, {
    type: "InvalidOutput",
    place: "output",
  });
  return {
    output: toJson(parsed),
    artifacts: await parseOrRefuse(artifactsSchema, artifacts ?? [], {
      type: "InvalidOutput",
      place: "artifacts",
    }),
  };
}

function toJson(output: unknown): Json {
  try {
    return toJsonValue(output, "output");
  } catch (error) {
    throw error instanceof NotJsonError ? invalidOutput(error.message) : error;
  }
}

/**
 * A worker that came to its end in this step may have done so because of it. Outside of its workflow task the
 * step's attempts are counted, and it holds up nothing else.
 *
 * @throws what has the step run there
 */
function assertNotReopened(
  { step_key: stepKey }: LocalAttempt,
  { info }: Context,
  { reopened }: ComponentDependencies,
): void {
  const runId = toWorkflowRunId(info.workflowExecution?.workflowId ?? "");
  if (reopened?.take(runId, stepKey) !== true) return;
  throw ApplicationFailure.nonRetryable("The step has begun before and was lost", NOT_LOCAL);
}

/** @throws what has the step run again, outside of its workflow task */
function assertFitsTask(envelope: ResultEnvelope): void {
  const bytes = Buffer.byteLength(JSON.stringify(envelope), "utf8");
  if (bytes <= MAX_LOCAL_BYTES) return;
  throw ApplicationFailure.nonRetryable(`A workflow task takes no ${bytes} bytes`, NOT_LOCAL);
}

/**
 * The cancellation behind an error, if there is one: what the signal gave as its reason, wrapped or
 * not, and what libraries make of an aborted signal. Another error is the component's own failure,
 * even when it came after the abort.
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
