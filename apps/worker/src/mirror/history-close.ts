// How a Temporal run ended, from its history.
import type { RunErrorCode } from "@truerun/shared/contracts/statuses";
import type { History } from "@truerun/shared/describe-execution";
import { RUN_TIMED_OUT_MESSAGE, runTerminatedMessage } from "@truerun/shared/run-end-messages";
import { clipMessage } from "@truerun/shared/storable-text";
import { toUnixMs } from "@truerun/shared/temporal-values";

export interface Close {
  timeMs: number;
  length: number;
  /** Set where no workflow code ran at the end. */
  interruption: { code: RunErrorCode; message: string } | null;
}

/** Null while the Temporal run is open. */
export function findClose({ events }: History): Close | null {
  const last = events?.at(-1);
  if (last == null) return null;
  const at = { timeMs: toUnixMs(last.eventTime) ?? 0, length: Number(last.eventId) };
  const terminated = last.workflowExecutionTerminatedEventAttributes;
  if (terminated != null) {
    // The reason is an operator's text, which Postgres may refuse, and may be long.
    const message = clipMessage(runTerminatedMessage(terminated.reason));
    return { ...at, interruption: { code: "workflow_terminated", message } };
  }
  if (last.workflowExecutionTimedOutEventAttributes != null) {
    return {
      ...at,
      interruption: { code: "workflow_timed_out", message: RUN_TIMED_OUT_MESSAGE },
    };
  }
  const ended =
    last.workflowExecutionCompletedEventAttributes ??
    last.workflowExecutionFailedEventAttributes ??
    last.workflowExecutionCanceledEventAttributes;
  return ended == null ? null : { ...at, interruption: null };
}
