import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { Artifact, RunErrorCode, RunStatus } from "@truerun/shared/contracts/statuses";
import { stepId } from "@truerun/shared/step-id";
import { parseStepKey, toItemKey } from "@truerun/shared/step-key";
import { toStorableText } from "@truerun/shared/storable-text";
import { proxySinks, workflowInfo } from "@temporalio/workflow";
import type { MirrorPosition, MirrorSinks, StepRow } from "../mirror/mirror-record.ts";
import { digestStep, sumSteps } from "../mirror/step-digest.ts";
import { CurrentDetails } from "./current-details.ts";
import { engineOutcome, type OpenOutcome, type StepOutcome } from "./step-outcome.ts";
import { fromFacts, type StepFacts, toFacts } from "./step-facts.ts";

const { mirror } = proxySinks<MirrorSinks>();

/** A digest that no steps have: an end with it is not confirmed before it has been projected. */
const NO_DIGEST = -1;

/** Why a run ended; both null when it completed. */
export interface RunError {
  code: RunErrorCode | null;
  message: string | null;
}

/** What a recorder records for. */
export interface RecorderOptions {
  workflowRunId: string;
  components: readonly ComponentDefinition[];
  /** In a batch: where its records stand among those of the run. */
  batch?: BatchPlace;
}

/** What a batch is told of its run, so that its records fit among the run's. */
export interface BatchPlace {
  /** The Temporal run that started the batch, and its history's length then. */
  temporal_run_id: string;
  mirror_length: number;
  /** Ordinal of the fan-out's item 0. */
  first_ordinal: number;
}

/**
 * Keeps the step rows of this workflow execution and sends every change to the mirror, whole rows each
 * time. Deterministic: on replay it makes the same rows with the same positions.
 */
export class StepRecorder {
  readonly #workflowRunId: string;
  readonly #components: ReadonlyMap<string, ComponentDefinition>;
  readonly #batch: BatchPlace | undefined;
  readonly #rows = new Map<string, StepRow>();
  readonly #details = new CurrentDetails();
  readonly #cancelReasons = new Map<string, string>();
  #nextOrdinal = 0;
  #sequence = 0;
  #isUncertain = false;
  /** Results of local activities in the workflow task that began at this length of the history. */
  #markers = { length: 0, count: 0 };
  /**
   * The history's length at the start of the workflow task in which a local step last began. The first one of a
   * task is waited for: if the task is lost, its row is how the next worker knows.
   */
  #taskOfLocal = 0;
  /** What a step's message says when the run cancels it. The interpreter sets it before it cancels. */
  cancelReason = "The run was canceled.";

  constructor({ workflowRunId, components, batch }: RecorderOptions) {
    this.#workflowRunId = workflowRunId;
    this.#components = new Map(components.map((component) => [component.key, component]));
    this.#batch = batch;
  }

  /** Records that a component began: a row without a status. */
  open(key: string, { isLocal = false } = {}): void {
    this.#put(key, { ...engineOutcome("success", null), status: null }, isLocal);
  }

  /** Whether a component began and has no outcome yet. */
  isOpen(key: string): boolean {
    return this.#rows.get(key)?.status === null;
  }

  /** Records a component's outcome, over the row that {@link open} made or as a row of its own. */
  close(key: string, outcome: StepOutcome, { isLocal = false } = {}): void {
    if (this.#rows.get(key)?.status == null) this.#put(key, outcome, isLocal);
  }

  /**
   * Says that a replay may see some of this at another time. The end is then recorded so that it is projected
   * from the history before it is confirmed.
   */
  distrust(): void {
    this.#isUncertain = true;
  }

  /** Counts the result of a local activity, which becomes an event when the workflow task completes. */
  countMarker(): void {
    const { historyLength: length } = workflowInfo();
    const isSameTask = this.#markers.length === length;
    this.#markers = { length, count: isSameTask ? this.#markers.count + 1 : 1 };
  }

  /** Records the artifacts of a step that is still under way. */
  note(key: string, artifacts: readonly Artifact[]): void {
    this.#put(key, { ...engineOutcome("success", null), status: null, artifacts });
  }

  /** Shows in Temporal Web UI what a step that is under way asks. The mirror is not told. */
  showPrompt(key: string, prompt: string): void {
    const row = this.#rows.get(key);
    if (row !== undefined) this.#details.show({ ...row, message: prompt }, this.#rows.size);
  }

  /** Shows in Temporal Web UI how a batch ended; its run's end is its run's to record. */
  showBatchEnd(status: Extract<RunStatus, "completed" | "canceled">): void {
    this.#details.end(status, null);
  }

  /** Ends every step that has no outcome yet; of one component only, if it is named. */
  interrupt(message: string, componentKey?: string): void {
    for (const [key, row] of this.#rows) {
      const isMeant = componentKey === undefined || parseStepKey(key).componentKey === componentKey;
      if (row.status !== null || !isMeant) continue;
      const artifacts = JSON.parse(row.artifacts) as Artifact[];
      this.close(key, { ...engineOutcome("failed", message), artifacts });
    }
  }

  /** The Temporal run of the run itself, in a batch as well. */
  get temporalRunId(): string {
    return this.#batch?.temporal_run_id ?? workflowInfo().runId;
  }

  /** Sets what the steps of a component say when they are canceled without the whole run. */
  setCancelReason(componentKey: string, reason: string): void {
    this.#cancelReasons.set(componentKey, reason);
  }

  cancelReasonOf(key: string): string {
    return this.#cancelReasons.get(parseStepKey(key).componentKey) ?? this.cancelReason;
  }

  /** Reserves ordinals for the items of a fan-out. @returns that of item 0 */
  reserve(count: number): number {
    const first = this.#nextOrdinal;
    this.#nextOrdinal += count;
    return first;
  }

  /** The place of a batch that is started now. */
  placeBatch(firstOrdinal: number): BatchPlace {
    const { runId: temporal_run_id, historyLength: mirror_length } = workflowInfo();
    return { temporal_run_id, mirror_length, first_ordinal: firstOrdinal };
  }

  /** What has been recorded, in short form: what a batch tells its run. */
  facts(): StepFacts[] {
    return [...this.#rows.values()].map(toFacts);
  }

  /** Takes over the rows that a batch recorded, as this execution's own. */
  adopt(componentKey: string, facts: readonly StepFacts[], firstOrdinal: number): void {
    for (const fact of facts) {
      const key = toItemKey(componentKey, fact.index);
      const outcome = fromFacts(fact, this.cancelReasonOf(key));
      this.#write({
        ...this.#toRow(key, outcome, firstOrdinal + fact.index),
        created_at_ms: fact.created_at_ms,
        updated_at_ms: fact.updated_at_ms,
      });
    }
  }

  /** Records the run's end. Provisional until Temporal itself has closed the run. */
  end(status: Exclude<RunStatus, "started">, error: RunError): void {
    const position = this.#position();
    mirror.write({
      kind: "end",
      run_id: this.#workflowRunId,
      ...position,
      status,
      error_code: error.code,
      error_message: error.message === null ? null : toStorableText(error.message),
      completed_at_ms: position.mirror_time_ms,
      ...sumSteps([...this.#rows.values()]),
      ...(this.#isUncertain ? { steps_digest: NO_DIGEST } : {}),
      ...(this.#markers.length === position.mirror_length
        ? { closing_markers: this.#markers.count }
        : {}),
    });
    this.#details.end(status, error.message);
  }

  #put(key: string, outcome: OpenOutcome, isLocal = false): void {
    const { historyLength: task } = workflowInfo();
    const mayWait = isLocal && this.#taskOfLocal === task;
    if (isLocal && outcome.status === null) this.#taskOfLocal = task;
    this.#write(this.#toRow(key, outcome), mayWait);
  }

  /** @param place - the step's ordinal, where one was reserved; else the next one */
  #toRow(key: string, outcome: OpenOutcome, place?: number): StepRow {
    const { componentKey, itemIndex } = parseStepKey(key);
    const component = this.#components.get(componentKey);
    if (component === undefined) throw new Error(`No component has the key '${componentKey}'`);
    const position = this.#position();
    const before = this.#rows.get(key);
    return {
      kind: "step",
      run_id: this.#workflowRunId,
      id: before?.id ?? stepId(this.#workflowRunId, key),
      ordinal: before?.ordinal ?? place ?? this.#ordinalOf(itemIndex),
      step_key: key,
      item_index: itemIndex,
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
  }

  #ordinalOf(itemIndex: number | null): number {
    if (this.#batch !== undefined) return this.#batch.first_ordinal + (itemIndex ?? 0);
    return this.#nextOrdinal++;
  }

  #write(row: StepRow, mayWait = false): void {
    row.digest = digestStep(row);
    this.#rows.set(row.step_key, row);
    mirror.write(row, mayWait);
    this.#details.show(row, this.#rows.size);
  }

  #position(): MirrorPosition {
    return {
      temporal_run_id: this.temporalRunId,
      mirror_length: this.#batch?.mirror_length ?? workflowInfo().historyLength,
      mirror_time_ms: Date.now(),
      mirror_seq: ++this.#sequence,
    };
  }
}
