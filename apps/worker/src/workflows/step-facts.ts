import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import type { StepRow } from "../mirror/mirror-record.ts";
import type { OpenOutcome } from "./step-outcome.ts";

/** A step row without what its run knows anyway. Batches hand them to their run. */
export interface StepFacts extends OpenOutcome {
  index: number;
  created_at_ms: number;
  updated_at_ms: number;
  /** Set when the batch was told to end the step; only the run knows why. */
  canceled?: true;
}

/** What a canceled step says until its run says more: for good, if the batch that is canceled has too much to tell. */
export const BATCH_CANCELED = "Canceled with its batch.";

export function toFacts(row: StepRow): StepFacts {
  return {
    index: row.item_index ?? 0,
    status: row.status,
    message: row.message,
    output: row.output === null ? null : (JSON.parse(row.output) as Json),
    artifacts: JSON.parse(row.artifacts) as Artifact[],
    attempt: row.attempt,
    started_at_ms: row.started_at_ms,
    finished_at_ms: row.finished_at_ms,
    created_at_ms: row.created_at_ms,
    updated_at_ms: row.updated_at_ms,
    ...(row.message === BATCH_CANCELED ? { canceled: true } : {}),
  };
}

/** The outcome as its run records it. */
export function fromFacts(facts: StepFacts, cancelReason: string): OpenOutcome {
  const { status, message, output, artifacts, attempt, started_at_ms, finished_at_ms } = facts;
  const shown = facts.canceled === true ? cancelReason : message;
  return { status, message: shown, output, artifacts, attempt, started_at_ms, finished_at_ms };
}
