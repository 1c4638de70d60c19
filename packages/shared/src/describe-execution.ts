import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from "@temporalio/client";

/** The current execution of a workflow id, the newest after resets; null if Temporal has none. */
export async function describeExecution(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | null> {
  return await client.workflow.getHandle(workflowId).describe().catch(ignoreNotFound);
}

/** Whether an execution took the place of one that an operator had reset: runs go on in no other way. */
export function isOfReset({ raw, runId }: WorkflowExecutionDescription): boolean {
  return raw.workflowExecutionInfo?.firstRunId !== runId;
}

/** For calls about an execution that may be gone, or may have ended. @returns null then */
export function ignoreNotFound(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}
