// Sandbox-safe: workflow code uses this.
import { digestNumber } from "@truerun/shared/step-id";
import type { RunEnd, StepRow } from "./mirror-record.ts";

/** The digest of a step row: of all that it says, but not of the write's position. */
export function digestStep(row: StepRow): number {
  return digestNumber(
    JSON.stringify([
      row.ordinal,
      row.step_key,
      row.item_index,
      row.component_id,
      row.component_name,
      row.action_type,
      row.status,
      row.message,
      row.artifacts,
      row.output,
      row.attempt,
      row.started_at_ms,
      row.finished_at_ms,
      row.created_at_ms,
      row.updated_at_ms,
    ]),
  );
}

/** What a run's end says of its steps. */
export function sumSteps(
  steps: readonly Pick<StepRow, "digest">[],
): Pick<RunEnd, "step_count" | "steps_digest"> {
  return {
    step_count: steps.length,
    steps_digest: steps.reduce((sum, { digest }) => sum + digest, 0),
  };
}
