import type { StepRow } from "./mirror-record.ts";
import { digestStep } from "./step-digest.ts";

/**
 * The steps, with those that had no outcome failed: for an end at which no workflow code ran.
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
