import { type Client, WorkflowNotFoundError } from "@temporalio/client";

/**
 * Takes a run back to the end of one of its workflow tasks, as Temporal Web UI does.
 *
 * @param point - picks the task: 0 the first, nearly 1 the last
 */
export async function resetRun(client: Client, runId: string, point: number): Promise<void> {
  const handle = client.workflow.getHandle(runId);
  const { runId: temporalRunId } = await handle.describe();
  const { events } = await client.workflow.getHandle(runId, temporalRunId).fetchHistory();
  const ends = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes != null);
  const end = ends[Math.floor(point * ends.length)];
  if (end?.eventId == null)
    throw new WorkflowNotFoundError("It has no workflow task", runId, undefined);
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: runId, runId: temporalRunId },
    reason: "An operator's second thought",
    workflowTaskFinishEventId: end.eventId,
    requestId: `${temporalRunId}/${String(end.eventId)}`,
  });
}
