import { type Client, WorkflowNotFoundError } from "@temporalio/client";

/** Id of a run's current Temporal run: the newest one, after resets. Null if there is none. */
export async function findCurrentTemporalRun(
  client: Client,
  workflowRunId: string,
): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowRunId).describe()).runId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
