import type { Json } from "@truerun/shared/contracts/json";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import type {
  Artifact,
  RunErrorCode,
  RunStatus,
  StepStatus,
} from "@truerun/shared/contracts/statuses";
import { stepId } from "@truerun/shared/step-id";
import { toStorableText } from "@truerun/shared/storable-text";
import { proxySinks, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import type { MirrorPosition, MirrorSinks, StepRow } from "../mirror/mirror-record.ts";
import { digestStep } from "../mirror/step-digest.ts";
import { renderDetails, renderRow } from "./current-details.ts";

const { mirror } = proxySinks<MirrorSinks>();

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

/** Why a run ended; both null when it completed. */
export interface RunError {
  code: RunErrorCode | null;
  message: string | null;
}

/**
 * Keeps the step rows of this workflow execution and sends every change to the mirror, whole rows each
 * time. Deterministic: on replay it makes the same rows with the same positions.
 */
export class StepRecorder {
  readonly #event: RunRequestedEvent;
  readonly #rows = new Map<string, StepRow>();
  /** The rows as lines of the table in Temporal Web UI. */
  readonly #lines = new Map<string, string>();
  #sequence = 0;
  /** What a step's message says when it is canceled. The interpreter sets it before it cancels. */
  cancelReason = "The run was canceled.";

  constructor(event: RunRequestedEvent) {
    this.#event = event;
  }

  /** Records that a component began: a row without a status. */
  open(key: string): void {
    this.#put(key, {
      status: null,
      message: null,
      output: null,
      artifacts: [],
      attempt: null,
      started_at_ms: null,
      finished_at_ms: null,
    });
  }

  /** Records a component's outcome, over the row that {@link open} made or as a row of its own. */
  close(key: string, outcome: StepOutcome): void {
    if (this.#rows.get(key)?.status == null) this.#put(key, outcome);
  }

  /** Ends every step that has no outcome yet. */
  interrupt(message: string): void {
    for (const [key, row] of this.#rows) {
      if (row.status === null) this.close(key, engineOutcome("failed", message));
    }
  }

  /** Records the run's end. Provisional until Temporal itself has closed the run. */
  end(status: Exclude<RunStatus, "started">, error: RunError): void {
    const rows = [...this.#rows.values()];
    const position = this.#position();
    mirror.write({
      kind: "end",
      run_id: this.#event.data.workflow_run_id,
      ...position,
      status,
      error_code: error.code,
      error_message: error.message === null ? null : toStorableText(error.message),
      completed_at_ms: position.mirror_time_ms,
      step_count: rows.length,
      steps_digest: rows.reduce((sum, row) => sum + row.digest, 0),
    });
    setCurrentDetails(renderDetails([...this.#lines.values()], { status, message: error.message }));
  }

  #put(key: string, outcome: Omit<StepOutcome, "status"> & { status: StepStatus | null }): void {
    const { data } = this.#event;
    const component = data.definition.components.find((each) => each.key === key);
    if (component === undefined) throw new Error(`No component has the key '${key}'`);
    const position = this.#position();
    const before = this.#rows.get(key);
    const row: StepRow = {
      kind: "step",
      run_id: data.workflow_run_id,
      id: before?.id ?? stepId(data.workflow_run_id, key),
      ordinal: before?.ordinal ?? this.#rows.size,
      step_key: key,
      item_index: null,
      component_id: component.id,
      component_name: toStorableText(component.name),
      action_type: component.action,
      status: outcome.status,
      message: outcome.message === null ? null : toStorableText(outcome.message),
      artifacts: JSON.stringify(outcome.artifacts),
      output: outcome.status === "success" ? JSON.stringify(outcome.output) : null,
      attempt: outcome.attempt,
      started_at_ms: outcome.started_at_ms,
      finished_at_ms: outcome.finished_at_ms,
      created_at_ms: before?.created_at_ms ?? position.mirror_time_ms,
      updated_at_ms: position.mirror_time_ms,
      digest: 0,
      ...position,
    };
    row.digest = digestStep(row);
    this.#rows.set(key, row);
    this.#lines.set(key, renderRow(row));
    mirror.write(row);
    setCurrentDetails(
      renderDetails([...this.#lines.values()], { status: "started", message: null }),
    );
  }

  #position(): MirrorPosition {
    const info = workflowInfo();
    return {
      temporal_run_id: info.runId,
      mirror_length: info.historyLength,
      mirror_time_ms: Date.now(),
      mirror_seq: ++this.#sequence,
    };
  }
}

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
