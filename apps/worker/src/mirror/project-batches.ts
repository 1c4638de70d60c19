// The steps of a run's batches that its own history does not hold.
import { parseBatchId } from "@truerun/shared/batch-id";
import { stepId } from "@truerun/shared/step-id";
import { toItemKey } from "@truerun/shared/step-key";
import { ignoreNotFound } from "@truerun/shared/describe-execution";
import { type Close, findClose } from "./history-close.ts";
import { interruptSteps } from "./interrupt-steps.ts";
import type { StepRow } from "./mirror-record.ts";
import type { ProjectionSource } from "./project-history.ts";
import { type History, newestSteps } from "./replay-history.ts";

/**
 * A batch tells its run what it recorded when it ends, so that is in the run's history. The records of one
 * that is under way, was terminated or had too much to tell are only in its own.
 *
 * @param told - ids of the steps that the run's own history holds
 * @returns the records of all other batches; steps that a batch left open when it closed are failed
 * @throws when the run is closed but a batch is not yet
 */
export async function projectBatches(
  source: ProjectionSource,
  run: { workflowRunId: string; history: History; close: Close | null },
  told: ReadonlySet<string>,
): Promise<StepRow[]> {
  const steps: StepRow[] = [];
  for (const workflowId of findBatches(run.history)) {
    const items = parseBatchId(workflowId);
    if (items?.workflowRunId !== run.workflowRunId) continue;
    if (told.has(stepId(run.workflowRunId, toItemKey(items.componentKey, items.first)))) continue;
    steps.push(...(await projectBatch(source, workflowId, run.close)));
  }
  return steps;
}

/** Workflow ids of the batches that a run's history knows of. */
export function findBatches({ events }: History): string[] {
  return (events ?? [])
    .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? "")
    .filter((workflowId) => parseBatchId(workflowId) !== null);
}

async function projectBatch(
  { client, replayer }: ProjectionSource,
  workflowId: string,
  runClose: Close | null,
): Promise<StepRow[]> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory().catch(ignoreNotFound);
  if (history === null) return [];
  const close = findClose(history);
  if (close === null && runClose !== null) throw new Error(`The batch ${workflowId} is still open`);
  const steps = newestSteps(await replayer.replay(history, workflowId));
  // Where the run itself was interrupted, that is why these steps fail as well.
  if (close?.interruption == null || runClose?.interruption != null) return steps;
  // A batch's records all have the length at which it was started: only time tells them apart.
  const { timeMs } = close;
  return interruptSteps(steps, "The step's batch was ended in Temporal.", { timeMs });
}
