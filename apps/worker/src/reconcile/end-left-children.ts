import type { Client } from "@temporalio/client";
import {
  describeExecution,
  ignoreNotFound,
  isClosed,
  isOfReset,
} from "@truerun/shared/describe-execution";
import { ParentClosePolicy } from "@truerun/shared/temporal-values";

const REASON = "Its run ended.";
/** The policies by which children end with their parent. */
const TERMINATE = ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE;
const REQUEST_CANCEL = ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL;

/**
 * Ends what a run that was reset has left under way when it closed. By their parent close policies Temporal ends only
 * children that the same Temporal run started, and not those that a reset took over.
 */
export async function endLeftChildren(client: Client, workflowRunId: string): Promise<void> {
  const run = await describeExecution(client, workflowRunId);
  if (run === null || !isClosed(run) || !isOfReset(run)) return;
  for (const { workflowId, parentClosePolicy } of run.raw.pendingChildren ?? []) {
    const child = client.workflow.getHandle(workflowId ?? "");
    // One that has ended by now needs nothing.
    if (parentClosePolicy === TERMINATE) await child.terminate(REASON).catch(ignoreNotFound);
    if (parentClosePolicy === REQUEST_CANCEL) await child.cancel().catch(ignoreNotFound);
  }
}
