// The steps of a run's batches that its own history does not hold.
import { type BatchItems, parseBatchId } from "@truerun/shared/batch-id";
import { fetchHistory, type History, ignoreNotFound } from "@truerun/shared/describe-execution";
import { stepId } from "@truerun/shared/step-id";
import { toItemKey } from "@truerun/shared/step-key";
import { type Close, findClose } from "./history-close.ts";
import { interruptSteps } from "./interrupt-run.ts";
import type { StepRow } from "./mirror-record.ts";
import type { ProjectionSource } from "./project-history.ts";
import { newestSteps } from "./replay-history.ts";

export interface BatchSteps {
  /** Steps that a batch left open when it closed are failed. */
  steps: StepRow[];
  /** Batches that did begin but are not in Temporal any more: past its retention, or deleted. */
  gone: BatchItems[];
}

/**
 * A batch tells its run what it recorded when it ends, so that is in the run's history. The records of one
 * that is under way, was terminated or had too much to tell are only in its own.
 *
 * @param told - ids of the steps that the run's own history holds
 * @returns what is to be known of all other batches
 * @throws when the run is closed but a batch is not yet
 */
export async function projectBatches(
  source: ProjectionSource,
  run: { workflowRunId: string; history: History; close: Close | null },
  told: ReadonlySet<string>,
): Promise<BatchSteps> {
  const found: BatchSteps = { steps: [], gone: [] };
  const begun = findBegun(run.history);
  for (const workflowId of findBatches(run.history)) {
    const items = parseBatchId(workflowId);
    if (items?.workflowRunId !== run.workflowRunId) continue;
    if (told.has(stepId(run.workflowRunId, toItemKey(items.componentKey, items.first)))) continue;
    const steps = await projectBatch(source, workflowId, run.close);
    if (steps !== null) found.steps.push(...steps);
    else if (begun.has(workflowId)) found.gone.push(items);
  }
  return found;
}

/** Workflow ids of the batches that a run's history knows of. */
export function findBatches({ events }: History): string[] {
  return (events ?? [])
    .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? "")
    .filter((workflowId) => parseBatchId(workflowId) !== null);
}

function findBegun({ events }: History): ReadonlySet<string | null | undefined> {
  return new Set(
    (events ?? []).map(
      (event) => event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId,
    ),
  );
}

/** Null: Temporal does not have the batch. */
async function projectBatch(
  { client, replayer }: ProjectionSource,
  workflowId: string,
  runClose: Close | null,
): Promise<StepRow[] | null> {
  const history = await fetchHistory(client, workflowId).catch(ignoreNotFound);
  if (history === null) return null;
  const close = findClose(history);
  if (close === null && runClose !== null) throw new Error(`The batch ${workflowId} is still open`);
  const steps = newestSteps(await replayer.replay(history, workflowId));
  // Where the run itself was interrupted, that is why these steps fail as well.
  if (close?.interruption == null || runClose?.interruption != null) return steps;
  // A batch's records all have the length at which it was started: only time tells them apart.
  const { timeMs } = close;
  return interruptSteps(steps, "The step's batch was ended in Temporal.", { timeMs });
}
