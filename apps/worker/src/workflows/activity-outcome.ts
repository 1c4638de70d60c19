import { timeoutMessage } from "@truerun/shared/timeout-message";
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TimeoutFailure,
} from "@temporalio/workflow";
import type { ResultEnvelope } from "../local-attempt.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

/** What the SDK says about an activity type that the worker does not have. */
const UNKNOWN_ACTIVITY = /^Activity function .* is not registered on this Worker/;

/** The outcome of a step whose activity returned. */
export function toSuccess(envelope: ResultEnvelope): StepOutcome {
  return { status: "success", message: null, ...envelope };
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

function attemptOf(detail: unknown): Attempt | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  const { attempt, started_at_ms, finished_at_ms } = detail as Record<string, unknown>;
  if (typeof attempt !== "number" || typeof started_at_ms !== "number") return undefined;
  return {
    attempt,
    started_at_ms,
    finished_at_ms: typeof finished_at_ms === "number" ? finished_at_ms : null,
  };
}
