import { type Client, WorkflowNotFoundError } from "@temporalio/client";

/** Id of the Temporal run that a run's workflow id stands for now: the newest after resets. Null without any. */
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
