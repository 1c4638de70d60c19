// What the workflow side hands to the mirror. Types only: the sandbox imports this file.
import type { RunErrorCode, RunStatus, StepStatus } from "@truerun/shared/contracts/statuses";
import type { Sinks } from "@temporalio/workflow";

/**
 * A write's position in its Temporal run. Within one, the greater (length, time, sequence) wins.
 * Start times give no order: a reset run sees the original's. Nor do lengths alone: the tries of a
 * failing workflow task report equal ones.
 */
export interface MirrorPosition {
  temporal_run_id: string;
  /** Events in the history when the workflow task began. */
  mirror_length: number;
  /** Workflow time in ms: when that task started. Equal live, on replay and on repair. */
  mirror_time_ms: number;
  /** Counts the writes of the Temporal run. */
  mirror_seq: number;
}

/** A whole step row; every write carries all of it. `artifacts` and `output` are JSON texts. */
export interface StepRow extends MirrorPosition {
  kind: "step";
  run_id: string;
  id: string;
  ordinal: number;
  step_key: string;
  item_index: number | null;
  component_id: string;
  component_name: string;
  action_type: string;
  status: StepStatus | null;
  message: string | null;
  artifacts: string;
  output: string | null;
  attempt: number | null;
  started_at_ms: number | null;
  finished_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
  /** 32 bits that stand for the content above, without the position. */
  digest: number;
}

/** The end of a run. */
export interface RunEnd extends MirrorPosition {
  kind: "end";
  run_id: string;
  status: Exclude<RunStatus, "started">;
  error_code: RunErrorCode | null;
  error_message: string | null;
  completed_at_ms: number;
  step_count: number;
  /** Sum of the steps' digests. */
  steps_digest: number;
  /**
   * Of an end that is still to be confirmed: how many local activities got their results in its workflow task,
   * each of which is an event after the task's start.
   */
  closing_markers?: number;
}

/** One write of the interpreter to the tables; `kind` tells them apart. */
export type MirrorRecord = StepRow | RunEnd;

/** The way out of the sandbox. */
export interface MirrorSinks extends Sinks {
  mirror: {
    /** @param mayWait - for a record that need not be committed before the workflow goes on; default: false */
    write(record: MirrorRecord, mayWait?: boolean): void;
  };
}
