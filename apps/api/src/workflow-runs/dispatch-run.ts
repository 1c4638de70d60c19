import type { Database } from "@truerun/shared/db";
import {
  DISPATCHABLE_COLUMNS,
  DISPATCHABLE_JOINS,
  type DispatchableRow,
  toDispatchableRun,
} from "@truerun/shared/dispatch/dispatchable-row";
import type { DispatchableRun } from "@truerun/shared/dispatch/run-requested";
import type { EndpointServices } from "../dependencies.ts";
import { ApiError } from "../http/errors.ts";

/**
 * Hands a committed run to Temporal and records the result in its row: in the background, unless Temporal
 * rejected the run.
 *
 * @throws 502 when Temporal did not take it; unless rejected, it is dispatched by a repeat or the sweeper
 */
export async function dispatchRun(services: EndpointServices, run: DispatchableRun): Promise<void> {
  const result = await services.dispatcher.dispatch(run);
  switch (result.kind) {
    case "dispatched":
      services.marks.add(run.workflowRunId, result.temporalRunId);
      return;
    case "unavailable":
      services.marks.release(run.workflowRunId);
      throw dispatchFailed(run.workflowRunId, result.reason);
    case "rejected":
      await reject(services, run.workflowRunId, result.reason);
      throw dispatchFailed(run.workflowRunId, result.reason);
  }
}

async function reject(services: EndpointServices, id: string, reason: string): Promise<void> {
  try {
    await services.marks.reject(id, reason);
  } catch (error) {
    // The sweeper will try the run again, be refused in the same way, and end it.
    services.logger.warn({ err: error, workflowRunId: id }, "could not end a rejected run");
  }
}

/** @param reason - for the log */
export function dispatchFailed(id: string, reason: string): ApiError {
  const message = `Workflow run was created but could not be dispatched. Retry with the same workflow run id (${id}).`;
  return new ApiError("workflow_dispatch_failed", { message, cause: new Error(reason) });
}

/** A run that is already in the database, for another try. */
export async function getDispatchableRun(db: Database, id: string): Promise<DispatchableRun> {
  const rows = await db.$queryRaw<DispatchableRow[]>`
    SELECT ${DISPATCHABLE_COLUMNS} FROM workflow_runs r ${DISPATCHABLE_JOINS} WHERE r.id = ${id}`;
  const [row] = rows;
  if (row === undefined) throw new Error(`Run ${id} or its definition's version is gone`);
  return toDispatchableRun(row);
}
