import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { GRPC, hasGrpcCode } from "./grpc-error.ts";

export type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

/** The current execution of a workflow id, the newest after resets; null if Temporal has none. */
export async function describeExecution(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | null> {
  return await client.workflow.getHandle(workflowId).describe().catch(ignoreNotFound);
}

/**
 * The history of an execution.
 *
 * @param runId - of the Temporal run; default: the current one
 * @throws WorkflowNotFoundError when Temporal does not have it. The client's own `fetchHistory` is its only call that
 *   throws what gRPC said, which may also be about the namespace.
 */
export async function fetchHistory(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<History> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    return await handle.fetchHistory();
  } catch (error) {
    if (hasGrpcCode(error, [GRPC.NOT_FOUND])) await handle.describe();
    throw error;
  }
}

/** Whether an execution has ended. One that an operator has paused has not, nor is its status `RUNNING`. */
export function isClosed({ closeTime }: WorkflowExecutionDescription): boolean {
  return closeTime !== undefined;
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
