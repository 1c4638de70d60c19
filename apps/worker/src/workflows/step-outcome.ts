import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact, StepStatus } from "@truerun/shared/contracts/statuses";

/** What is known of a step when its outcome is recorded. */
export interface StepOutcome {
  status: StepStatus;
  message: string | null;
  output: Json;
  artifacts: readonly Artifact[];
  /** Of the attempt that decided; null where the engine itself ended the step. */
  attempt: number | null;
  started_at_ms: number | null;
  finished_at_ms: number | null;
}

/** An outcome, or what stands for it while there is none. */
export type OpenOutcome = Omit<StepOutcome, "status"> & { status: StepStatus | null };

/** The outcome of a step that no attempt decided. */
export function engineOutcome(status: StepStatus, message: string | null): StepOutcome {
  return {
    status,
    message,
    output: null,
    artifacts: [],
    attempt: null,
    started_at_ms: null,
    finished_at_ms: null,
  };
}
