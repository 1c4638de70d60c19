// Rows for an end at which no workflow code ran.
import type { RunErrorCode } from "@truerun/shared/contracts/statuses";
import type { RunEnd, StepRow } from "./mirror-record.ts";
import { digestStep } from "./step-digest.ts";

/**
 * The steps, with those that had no outcome failed.
 *
 * @param at - the end's position: after everything that was recorded, by whatever task
 */
export function interruptSteps(
  steps: readonly StepRow[],
  message: string,
  at: { timeMs: number; length?: number },
): StepRow[] {
  return steps.map((row) => {
    if (row.status !== null) return row;
    const failed: StepRow = {
      ...row,
      status: "failed",
      message,
      updated_at_ms: at.timeMs,
      mirror_length: at.length ?? row.mirror_length,
      mirror_time_ms: at.timeMs,
      mirror_seq: row.mirror_seq + 1,
    };
    return { ...failed, digest: digestStep(failed) };
  });
}

/** An end's own part; the rest comes from the run. */
export type EndRecord = Pick<
  RunEnd,
  | "kind"
  | "status"
  | "error_code"
  | "error_message"
  | "mirror_length"
  | "mirror_time_ms"
  | "mirror_seq"
>;

/** @param at - the end's position */
export function interruptedEnd(
  { code, message }: { code: RunErrorCode; message: string },
  at: { timeMs: number; length: number },
): EndRecord {
  return {
    kind: "end",
    status: "failed",
    error_code: code,
    error_message: message,
    mirror_length: at.length,
    mirror_time_ms: at.timeMs,
    mirror_seq: 0,
  };
}
