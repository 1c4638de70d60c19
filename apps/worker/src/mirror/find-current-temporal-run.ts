import type { Client } from "@temporalio/client";
import { describeExecution } from "../describe-execution.ts";

/** Id of a run's current Temporal run: the newest one, after resets. Null if there is none. */
export async function findCurrentTemporalRun(
  client: Client,
  workflowRunId: string,
): Promise<string | null> {
  return (await describeExecution(client, workflowRunId))?.runId ?? null;
}
