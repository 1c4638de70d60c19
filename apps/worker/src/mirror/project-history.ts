// The projection: what the tables must say, made from Temporal's history by the very code that ran.
import type { Client } from "@temporalio/client";
import { parseStepKey } from "@truerun/shared/step-key";
import type { BatchItems } from "@truerun/shared/batch-id";
import { fetchHistory } from "@truerun/shared/describe-execution";
import { findClose } from "./history-close.ts";
import { type EndRecord, interruptedEnd, interruptSteps } from "./interrupt-run.ts";
import type { MirrorRecord, RunEnd, StepRow } from "./mirror-record.ts";
import { projectBatches } from "./project-batches.ts";
import { newestSteps, type Replayer } from "./replay-history.ts";
import type { RunRows } from "./run-rows.ts";
import { sumSteps } from "./step-digest.ts";

/** A run as its history says it is. */
export interface Projection {
  workflowRunId: string;
  temporalRunId: string;
  /** Number of events in the history that it was made from. */
  historyLength: number;
  /** In order of recording. */
  steps: StepRow[];
  /** Null while the run is open. */
  end: RunEnd | null;
  /** Of a {@link HistoryProjection} only: without what the tables say of these, it must not be written. */
  goneBatches?: never;
}

/** What Temporal alone tells of a run. {@link keepGoneBatches} makes a whole projection of it. */
export interface HistoryProjection extends Omit<Projection, "goneBatches"> {
  /** Batches whose steps are not among these, because Temporal has nothing of them any more. */
  goneBatches: BatchItems[];
}

export interface ProjectionSource {
  client: Client;
  replayer: Replayer;
}

/**
 * Replays one Temporal run's history through the interpreter and its interceptor with a sink that collects.
 *
 * @throws WorkflowNotFoundError when Temporal does not have it; an error when the history cannot be fetched, or
 *   cannot be replayed by this code
 */
export async function projectRun(
  source: ProjectionSource,
  workflowRunId: string,
  temporalRunId: string,
): Promise<HistoryProjection> {
  const history = await fetchHistory(source.client, workflowRunId, temporalRunId);
  const records = await source.replayer.replay(history, workflowRunId);
  const close = findClose(history);
  const own = newestSteps(records);
  const told = new Set(own.map(({ id }) => id));
  const run = { workflowRunId, history, close };
  const batches = await projectBatches(source, run, told);
  const all = [...own, ...batches.steps]
    // A reset run's history begins with the original's first event, so its replay sees that run's id.
    .map((row) => ({ ...row, temporal_run_id: temporalRunId }))
    .sort((a, b) => a.ordinal - b.ordinal);
  const historyLength = history.events?.length ?? 0;
  const projection = { workflowRunId, temporalRunId, historyLength, goneBatches: batches.gone };
  if (close === null) return { ...projection, steps: all, end: null };
  const { interruption } = close;
  const message = interruption?.message ?? "The run ended before the step did.";
  const steps = interruptSteps(all, message, close);
  const end = interruption === null ? recordedEnd(records) : interruptedEnd(interruption, close);
  if (end === null) throw new Error(`The closed history of ${workflowRunId} recorded no end`);
  return {
    ...projection,
    steps,
    end: {
      ...end,
      run_id: workflowRunId,
      temporal_run_id: temporalRunId,
      completed_at_ms: close.timeMs,
      ...sumSteps(steps),
    },
  };
}

/**
 * The projection with what the tables say of batches that Temporal has no more: nothing else tells of their steps.
 * Those that are open will never end; they are failed.
 *
 * @param rows - read after the projection was made
 */
export function keepGoneBatches(
  { goneBatches, ...projection }: HistoryProjection,
  rows: RunRows,
): Projection {
  if (goneBatches.length === 0) return projection;
  const { temporalRunId, end } = projection;
  const recorded = rows.steps
    .filter(({ step_key, item_index }) => {
      const { componentKey } = parseStepKey(step_key);
      return goneBatches.some((batch) => {
        const isOfComponent = item_index !== null && batch.componentKey === componentKey;
        return isOfComponent && batch.first <= item_index && item_index <= batch.last;
      });
    })
    .map((row): StepRow => ({ kind: "step", ...row, temporal_run_id: temporalRunId }));
  const timeMs = end?.completed_at_ms ?? Date.now();
  const message = "The step's batch is not in Temporal any more.";
  const steps = [...projection.steps, ...interruptSteps(recorded, message, { timeMs })].sort(
    (a, b) => a.ordinal - b.ordinal,
  );
  return { ...projection, steps, end: end === null ? null : { ...end, ...sumSteps(steps) } };
}

function recordedEnd(records: readonly MirrorRecord[]): EndRecord | null {
  return records.findLast((record): record is RunEnd => record.kind === "end") ?? null;
}
