// Temporal's list of executions, reduced to what is read here.
import type { Client } from "@temporalio/client";
import { toUnixMs } from "@truerun/shared/temporal-values";

/** An execution as Temporal's visibility shows it. Times are unix milliseconds. */
export interface ListedExecution {
  workflowId: string;
  temporalRunId: string;
  /** One of `WorkflowExecutionStatus`. */
  status: number;
  startTimeMs: number | null;
  /** Null while it is open. */
  closeTimeMs: number | null;
  historyLength: number;
}

const LARGEST_PAGE = 200;

/**
 * Executions in Temporal's own order, page by page; a page is asked for when it is needed. Each execution listed
 * costs Temporal a third of a millisecond.
 *
 * @param firstPage - how many are expected to be needed; if more are, the pages grow
 */
export async function* listExecutions(
  client: Client,
  query: string,
  firstPage = LARGEST_PAGE,
): AsyncGenerator<ListedExecution> {
  const { namespace } = client.options;
  let pageSize = Math.min(firstPage, LARGEST_PAGE);
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const request = { namespace, query, pageSize, nextPageToken };
    const page = await client.workflowService.listWorkflowExecutions(request);
    for (const { execution, status, startTime, closeTime, historyLength } of page.executions) {
      yield {
        workflowId: execution?.workflowId ?? "",
        temporalRunId: execution?.runId ?? "",
        status: status ?? 0,
        startTimeMs: toUnixMs(startTime),
        closeTimeMs: toUnixMs(closeTime),
        historyLength: Number(historyLength ?? 0),
      };
    }
    ({ nextPageToken } = page);
    pageSize = Math.min(4 * pageSize, LARGEST_PAGE);
  } while (nextPageToken.length > 0);
}
