// Whether a run's rows say what its history says.
import type { WorkflowExecutionDescription } from "@temporalio/client";
import { isBatchOf } from "@truerun/shared/batch-id";
import type { Database } from "@truerun/shared/db";
import { describeExecution, ignoreNotFound } from "@truerun/shared/describe-execution";
import { type Difference, diffRun } from "./diff-run.ts";
import {
  type HistoryProjection,
  keepGoneBatches,
  type Projection,
  type ProjectionSource,
  projectRun,
} from "./project-history.ts";
import { type RunRows, readRunRows } from "./run-rows.ts";

export interface InspectionSource extends ProjectionSource {
  db: Database;
}

/** How a run compares with its history, each with the rows that were read after the history. */
export type Inspection =
  /** Temporal does not know the run: it was never dispatched, is past retention, or was deleted. */
  | { kind: "gone"; rows: RunRows }
  | { kind: "equal"; rows: RunRows; projection: Projection }
  | { kind: "different"; rows: RunRows; projection: Projection; differences: Difference[] }
  /** It went on while it was looked at; only a later look can tell. */
  | { kind: "moving"; rows: RunRows };

/** An open run counts as at rest only if nothing of it has been written for this long. */
const REST_MS = 3_000;

/**
 * Compares a run's rows with the projection of its current Temporal run. Changes nothing, and is safe while
 * the run goes on: what it calls different was so while the history stood still.
 *
 * @returns null when there is no such run
 * @throws when Temporal or the database cannot be reached, or the history cannot be replayed
 */
export async function inspectRun(
  source: InspectionSource,
  workflowRunId: string,
): Promise<Inspection | null> {
  const { db } = source;
  const ofTemporal = await projectCurrentRun(source, workflowRunId);
  // After the history: whatever is in it was written before it got there.
  const rows = await readRunRows(db, workflowRunId);
  if (rows === null) return null;
  if (ofTemporal === null) return { kind: "gone", rows };
  const projection = keepGoneBatches(ofTemporal, rows);
  const differences = diffRun(rows, projection);
  if (differences.length === 0) return { kind: "equal", rows, projection };
  return (await isSettled(source, rows, projection))
    ? { kind: "different", rows, projection, differences }
    : { kind: "moving", rows };
}

/** Whether rows that differ from the projection are wrong, and not just of another moment. */
async function isSettled(
  source: InspectionSource,
  rows: RunRows,
  projection: Projection,
): Promise<boolean> {
  if (rows.temporalRunId !== null && rows.temporalRunId !== projection.temporalRunId) {
    // The run may have been reset while it was projected, and its row may have followed.
    const now = await describeExecution(source.client, rows.workflowRunId);
    return now?.runId === projection.temporalRunId;
  }
  return projection.end !== null || (await isAtRest(source, rows, projection));
}

async function projectCurrentRun(
  source: ProjectionSource,
  workflowRunId: string,
): Promise<HistoryProjection | null> {
  const current = await describeExecution(source.client, workflowRunId);
  if (current === null) return null;
  return await projectRun(source, workflowRunId, current.runId).catch(ignoreNotFound);
}

/**
 * Whether the history has stood still since the projection was made. Rows are written before their workflow
 * task completes, so while one is under way they are rightly ahead. A run in batches moves without its own
 * history, so its rows must also have been left alone for a while.
 */
async function isAtRest(
  { client }: ProjectionSource,
  rows: RunRows,
  projection: Projection,
): Promise<boolean> {
  const now = await client.workflow.getHandle(rows.workflowRunId).describe();
  const newest = rows.steps.reduce((last, { updated_at_ms: at }) => Math.max(last, at), 0);
  const isStill =
    now.runId === projection.temporalRunId &&
    now.historyLength === projection.historyLength &&
    !hasWorkflowTask(now) &&
    newest < Date.now() - REST_MS;
  if (!isStill) return false;
  for (const batch of openBatches(now)) {
    const found = await describeExecution(client, batch);
    // A run lists a batch a moment before it is there. And the rows of a lost task must stay: they tell the next
    // worker what had begun in it.
    if (found === null || hasWorkflowTask(found)) return false;
  }
  return true;
}

/** Workflow ids of a run's batches that have not ended. */
export function openBatches({ workflowId, raw }: WorkflowExecutionDescription): string[] {
  return (raw.pendingChildren ?? [])
    .map((child) => child.workflowId ?? "")
    .filter((id) => isBatchOf(workflowId, id));
}

/** Whether a workflow task is waiting, under way, or being tried again. */
export function hasWorkflowTask({ raw }: WorkflowExecutionDescription): boolean {
  return raw.pendingWorkflowTask != null;
}
