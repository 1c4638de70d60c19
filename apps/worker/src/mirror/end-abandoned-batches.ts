import type { Client } from "@temporalio/client";
import { fetchHistory, ignoreNotFound } from "@truerun/shared/describe-execution";
import { toBatchPrefix } from "@truerun/shared/batch-id";
import { findBatches } from "./project-batches.ts";

const REASON = "Its run was reset to a point before this batch.";

/**
 * A reset ends a run's former Temporal run, but not the batches that it had under way: Temporal leaves them to
 * the new run, in case it knows them. Nobody waits for those started after the reset point; what they do is
 * done again by others.
 */
export async function endAbandonedBatches(
  client: Client,
  { workflowRunId, temporalRunId }: { workflowRunId: string; temporalRunId: string },
): Promise<void> {
  const query = `WorkflowId STARTS_WITH "${toBatchPrefix(workflowRunId)}" AND ExecutionStatus = "Running"`;
  const running: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) running.push(workflowId);
  if (running.length === 0) return;
  // Read after the list, so that the history holds every listed batch that the new run started.
  const known = new Set(findBatches(await fetchHistory(client, workflowRunId, temporalRunId)));
  for (const workflowId of running.filter((id) => !known.has(id))) {
    await client.workflow.getHandle(workflowId).terminate(REASON).catch(ignoreNotFound);
  }
}
