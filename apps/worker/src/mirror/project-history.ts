// The projection: what the tables must say, made from Temporal's history by the very code that ran.
import type { Client } from "@temporalio/client";
import { type Close, findClose } from "./history-close.ts";
import { interruptSteps } from "./interrupt-steps.ts";
import type { MirrorRecord, RunEnd, StepRow } from "./mirror-record.ts";
import { projectBatches } from "./project-batches.ts";
import { newestSteps, type Replayer } from "./replay-history.ts";

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
}

export interface ProjectionSource {
  client: Client;
  replayer: Replayer;
}

/**
 * Replays one Temporal run's history through the interpreter and its interceptor with a sink that collects.
 *
 * @throws when the history cannot be fetched, or cannot be replayed by this code
 */
export async function projectRun(
  source: ProjectionSource,
  workflowRunId: string,
  temporalRunId: string,
): Promise<Projection> {
  const handle = source.client.workflow.getHandle(workflowRunId, temporalRunId);
  const history = await handle.fetchHistory();
  const records = await source.replayer.replay(history, workflowRunId);
  const close = findClose(history);
  const own = newestSteps(records);
  const told = new Set(own.map(({ id }) => id));
  const run = { workflowRunId, history, close };
  const all = [...own, ...(await projectBatches(source, run, told))]
    // A reset run's history begins with the original's first event, so its replay sees that run's id.
    .map((row) => ({ ...row, temporal_run_id: temporalRunId }))
    .sort((a, b) => a.ordinal - b.ordinal);
  const historyLength = history.events?.length ?? 0;
  if (close === null) return { workflowRunId, temporalRunId, historyLength, steps: all, end: null };
  const message = close.interruption?.message ?? "The run ended before the step did.";
  const steps = interruptSteps(all, message, close);
  const end = close.interruption === null ? recordedEnd(records) : toEnd(close, close.interruption);
  if (end === null) throw new Error(`The closed history of ${workflowRunId} recorded no end`);
  return {
    workflowRunId,
    temporalRunId,
    historyLength,
    steps,
    end: {
      ...end,
      run_id: workflowRunId,
      temporal_run_id: temporalRunId,
      completed_at_ms: close.timeMs,
      step_count: steps.length,
      steps_digest: steps.reduce((sum, { digest }) => sum + digest, 0),
    },
  };
}

/** An end's own part; the rest comes from the run. */
type EndRecord = Pick<
  RunEnd,
  | "kind"
  | "status"
  | "error_code"
  | "error_message"
  | "mirror_length"
  | "mirror_time_ms"
  | "mirror_seq"
>;

function recordedEnd(records: readonly MirrorRecord[]): EndRecord | null {
  return records.findLast((record): record is RunEnd => record.kind === "end") ?? null;
}

/** An end of a run at which no code of ours ran. */
function toEnd(close: Close, { code, message }: NonNullable<Close["interruption"]>): EndRecord {
  return {
    kind: "end",
    status: "failed",
    error_code: code,
    error_message: message,
    mirror_length: close.length,
    mirror_time_ms: close.timeMs,
    mirror_seq: 0,
  };
}
