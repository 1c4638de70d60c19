// Brings on runs that were reset to where they wait for children that had ended before.
import type { Client, WorkflowExecutionDescription } from "@temporalio/client";
import { describeExecution } from "../describe-execution.ts";
import { hasWorkflowTask } from "../mirror/inspect-run.ts";

/** Temporal tells a run of its child's end within moments. Of one this long ago it will not tell any more. */
const UNTOLD_MS = 60_000;

/**
 * Looks whether a run waits for a batch or a child run of whose end Temporal told only the Temporal run that was
 * reset: it would wait until its timeout. Such a run is reset once more, to before it started that child; then it
 * starts another.
 *
 * @param execution - the run's newest, just described
 * @returns whether it was reset
 */
export async function resetUntold(
  client: Client,
  execution: WorkflowExecutionDescription,
  untoldMs = UNTOLD_MS,
): Promise<boolean> {
  const { workflowId, runId, raw } = execution;
  const isReset = raw.workflowExecutionInfo?.firstRunId !== runId;
  if (!isReset || execution.status.name !== "RUNNING" || hasWorkflowTask(execution)) return false;
  const initiated: number[] = [];
  const untold: string[] = [];
  // One that has no run yet has not started.
  for (const child of (raw.pendingChildren ?? []).filter((each) => each.runId)) {
    const id = child.workflowId ?? "";
    if (!(await hasEnded(client, id, untoldMs))) continue;
    untold.push(id);
    initiated.push(Number(child.initiatedId));
  }
  if (untold.length === 0) return false;
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: `It waited for ${untold.slice(0, 3).join(", ")}, which had ended before the reset.`,
    // The same for all who see the same: Temporal takes one of them.
    requestId: `untold-ends-of-${runId}`,
    workflowTaskFinishEventId: await findDecision(client, execution, Math.min(...initiated)),
  });
  return true;
}

async function hasEnded(client: Client, workflowId: string, agoMs: number): Promise<boolean> {
  const child = await describeExecution(client, workflowId);
  if (child === null) return true;
  return child.closeTime !== undefined && child.closeTime.getTime() < Date.now() - agoMs;
}

/** The event of the workflow task that started a child. @param initiated - the event with which the child began */
async function findDecision(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  initiated: number,
) {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const event = events?.find(({ eventId }) => Number(eventId) === initiated);
  const attributes = event?.startChildWorkflowExecutionInitiatedEventAttributes;
  if (attributes == null) throw new Error(`event ${initiated} of ${workflowId} starts no child`);
  return attributes.workflowTaskCompletedEventId ?? null;
}
