// The projection: what the tables must say, made from Temporal's history by the very code that ran.
import type { Client } from "@temporalio/client";
import type { RunErrorCode } from "@truerun/shared/contracts/statuses";
import type { MirrorPosition, MirrorRecord, RunEnd, StepRow } from "./mirror-record.ts";
import type { History, Replayer } from "./replay-history.ts";
import { digestStep } from "./step-digest.ts";

/** A run as its history says it is. */
export interface Projection {
  workflowRunId: string;
  temporalRunId: string;
  /** Events in the history that it was made from. */
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
 * @throws when the history cannot be had, or cannot be replayed by this code
 */
export async function projectRun(
  { client, replayer }: ProjectionSource,
  workflowRunId: string,
  temporalRunId: string,
): Promise<Projection> {
  const history = await client.workflow.getHandle(workflowRunId, temporalRunId).fetchHistory();
  const records = await replayer.replay(history, workflowRunId);
  const events = history.events ?? [];
  const tasks = completedTasks(events);
  const kept = records
    .filter((record) => tasks.has(record.mirror_length))
    // A reset run's history begins with the original's first event, and so its replay has that run's id.
    .map((record) => ({ ...record, temporal_run_id: temporalRunId }));
  const steps = newestBySteps(kept);
  const close = findClose(events);
  const run = { workflowRunId, temporalRunId, historyLength: events.length };
  if (close === null) return { ...run, steps, end: null };
  const recorded = kept.findLast((record): record is RunEnd => record.kind === "end");
  const ids = { run_id: workflowRunId, temporal_run_id: temporalRunId };
  const end = close.interruption === null ? recorded : interruptSteps(steps, close, ids);
  if (end === undefined) throw new Error(`The closed history of ${workflowRunId} recorded no end`);
  return { ...run, steps, end: { ...end, completed_at_ms: close.timeMs } };
}

/**
 * The history lengths at which the completed workflow tasks began. A replay also runs the task that was
 * under way when a run was terminated; what that would have recorded did not happen.
 */
function completedTasks(events: HistoryEvents): ReadonlySet<number> {
  const started = events.map((event) => event.workflowTaskCompletedEventAttributes?.startedEventId);
  return new Set(started.filter((id) => id != null).map(Number));
}

function newestBySteps(records: readonly MirrorRecord[]): StepRow[] {
  const rows = new Map<string, StepRow>();
  for (const record of records) if (record.kind === "step") rows.set(record.id, record);
  return [...rows.values()].sort((a, b) => a.ordinal - b.ordinal);
}

/** How a history ends. */
interface Close {
  timeMs: number;
  length: number;
  /** Set where no workflow code ran at the end. */
  interruption: { code: RunErrorCode; message: string } | null;
}

type HistoryEvents = NonNullable<History["events"]>;

function findClose(events: HistoryEvents): Close | null {
  const last = events.at(-1);
  if (last === undefined) return null;
  const at = { timeMs: toMs(last.eventTime), length: Number(last.eventId) };
  const terminated = last.workflowExecutionTerminatedEventAttributes;
  if (terminated != null) {
    const reason = terminated.reason ? `: ${terminated.reason}` : ".";
    const message = `The run was terminated in Temporal${reason}`;
    return { ...at, interruption: { code: "workflow_terminated", message } };
  }
  if (last.workflowExecutionTimedOutEventAttributes != null) {
    return {
      ...at,
      interruption: { code: "workflow_timed_out", message: "The run exceeded its timeout." },
    };
  }
  const ended =
    last.workflowExecutionCompletedEventAttributes ??
    last.workflowExecutionFailedEventAttributes ??
    last.workflowExecutionCanceledEventAttributes;
  return ended == null ? null : { ...at, interruption: null };
}

/** Ends the steps, in place, that the run's end left without an outcome. */
function interruptSteps(
  steps: StepRow[],
  close: Close,
  { run_id, temporal_run_id }: { run_id: string; temporal_run_id: string },
): RunEnd | undefined {
  const { interruption } = close;
  if (interruption === null) return undefined;
  const position: MirrorPosition = {
    temporal_run_id,
    mirror_length: close.length,
    mirror_time_ms: close.timeMs,
    mirror_seq: Math.max(0, ...steps.map((row) => row.mirror_seq)) + 1,
  };
  for (const [index, row] of steps.entries()) {
    if (row.status !== null) continue;
    const closed: StepRow = {
      ...row,
      ...position,
      status: "failed",
      message: interruption.message,
      updated_at_ms: close.timeMs,
    };
    steps[index] = { ...closed, digest: digestStep(closed) };
  }
  return {
    kind: "end",
    run_id,
    ...position,
    status: "failed",
    error_code: interruption.code,
    error_message: interruption.message,
    completed_at_ms: close.timeMs,
    step_count: steps.length,
    steps_digest: steps.reduce((sum, row) => sum + row.digest, 0),
  };
}

function toMs(time: HistoryEvents[number]["eventTime"]): number {
  return Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1_000_000);
}
