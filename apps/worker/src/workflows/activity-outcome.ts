import type { Json } from "@truerun/shared/contracts/json";
import { ARTIFACT_ROLES, type Artifact } from "@truerun/shared/contracts/statuses";
import { timeoutMessage } from "@truerun/shared/timeout-message";
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TimeoutFailure,
} from "@temporalio/workflow";
import { UnreadablePayload } from "./payload-converter.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

/** What the SDK says about an activity type that the worker does not have. */
const UNKNOWN_ACTIVITY = /^Activity function .* is not registered on this Worker/;
/** The largest that the step's row takes. */
const MAX_ATTEMPT = 2 ** 31 - 1;

/**
 * The outcome of a step whose activity returned: the envelope of a component's attempt, or whatever an operator
 * completed it with in Temporal. That is the step's output, unless it is an object of `output` and perhaps
 * `artifacts`.
 */
export function toSuccess(result: unknown): StepOutcome {
  if (result instanceof UnreadablePayload) {
    return engineOutcome("failed", `The component's result is no JSON: ${result.reason}`);
  }
  return { ...engineOutcome("success", null), ...(readEnvelope(result) ?? toOutput(result)) };
}

/** Whether a component's attempt gave the result, or an operator who knows what those give. */
export function isEnvelope(result: unknown): boolean {
  return readEnvelope(result) !== null;
}

/** What an envelope tells; null if it is none. */
function readEnvelope(result: unknown): Partial<StepOutcome> | null {
  if (typeof result !== "object" || result === null || !Object.hasOwn(result, "output"))
    return null;
  const { output, artifacts = [], ...others } = result as Record<string, unknown>;
  const attempt = attemptOf(others);
  // Of a component's attempt, or an operator's without any times.
  const isKnown = attempt?.finished_at_ms != null || Object.keys(others).length === 0;
  if (!isKnown || !isArtifacts(artifacts)) return null;
  return { ...attempt, ...toOutput(output), artifacts };
}

/** A completion without a result is undefined; everything else comes from JSON. */
function toOutput(output: unknown): Pick<StepOutcome, "output"> {
  return { output: (output ?? null) as Json };
}

function isArtifacts(value: unknown): value is Artifact[] {
  return Array.isArray(value) && value.every(isArtifact);
}

function isArtifact(value: unknown): value is Artifact {
  if (typeof value !== "object" || value === null) return false;
  const { artifact_type: type, id, role } = value as Record<string, unknown>;
  const isKnownRole = ARTIFACT_ROLES.some((known) => known === role);
  return typeof type === "string" && typeof id === "string" && isKnownRole;
}

/**
 * The outcome of a step whose activity failed for good.
 *
 * @param cancelReason - what the message says if the activity was canceled
 */
export function toFailure(error: unknown, cancelReason: string): StepOutcome {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return engineOutcome("failed", cancelReason);
  if (cause instanceof TimeoutFailure)
    return engineOutcome("failed", timeoutMessage(cause.timeoutType));
  if (!(cause instanceof TemporalFailure)) throw error;
  if (cause instanceof ApplicationFailure && UNKNOWN_ACTIVITY.test(cause.message)) {
    return engineOutcome("failed", "No worker knows this action.");
  }
  const attempt = cause instanceof ApplicationFailure ? attemptOf(cause.details?.[0]) : undefined;
  return {
    ...engineOutcome("failed", cause.message || "The component failed without a message."),
    ...attempt,
  };
}

type Attempt = Pick<StepOutcome, "attempt" | "started_at_ms" | "finished_at_ms">;

/** Undefined for what no attempt of ours tells: an operator can fail or complete an activity with anything. */
function attemptOf(detail: unknown): Attempt | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  const { attempt, started_at_ms, finished_at_ms } = detail as Record<string, unknown>;
  if (!isCount(attempt) || attempt > MAX_ATTEMPT || !isCount(started_at_ms)) return undefined;
  return {
    attempt,
    started_at_ms,
    finished_at_ms: isCount(finished_at_ms) ? finished_at_ms : null,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
