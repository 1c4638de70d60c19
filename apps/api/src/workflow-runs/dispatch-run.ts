import type { WorkflowDefinitionDocument } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { Database } from "@truerun/shared/db";
import type { DispatchableRun } from "@truerun/shared/dispatch/run-requested";
import { ApiError } from "@truerun/shared/errors";
import type { EndpointServices } from "../dependencies.ts";

/**
 * Hands a committed run to Temporal and notes in its row, behind the caller's back, what came of it.
 *
 * @throws 502 when Temporal did not take it; the run stays, and is dispatched by a repeat or the sweeper
 */
export async function dispatchRun(services: EndpointServices, run: DispatchableRun): Promise<void> {
  const result = await services.dispatcher.dispatch(run);
  switch (result.kind) {
    case "dispatched":
      services.marks.add(run.workflowRunId, result.temporalRunId);
      return;
    case "unavailable":
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
    // The sweeper tries the run again, is told the same, and ends it then.
    services.logger.warn({ err: error, workflowRunId: id }, "could not end a rejected run");
  }
}

function dispatchFailed(id: string, reason: string): ApiError {
  const message = `Workflow run was created but could not be dispatched. Retry with the same workflow run id (${id}).`;
  return new ApiError("workflow_dispatch_failed", { message, cause: new Error(reason) });
}

interface DispatchableRow {
  org_id: string;
  org_name: string;
  workflow_name: string;
  definition_id: string;
  definition_version: number;
  started_at: number;
  input: string;
  document: string;
}

/** A run as it was when it was made: what every try to dispatch it hands over. */
export async function getDispatchableRun(db: Database, id: string): Promise<DispatchableRun> {
  const rows = await db.$queryRaw<DispatchableRow[]>`
    SELECT r.org_id, o.name AS org_name, r.workflow_name, r.definition_id, r.definition_version,
      floor(extract(epoch FROM r.started_at))::float8 AS started_at, r.input::text AS input,
      v.document::text AS document
    FROM workflow_runs r
    JOIN organizations o ON o.id = r.org_id
    JOIN workflow_definition_versions v
      ON v.definition_id = r.definition_id AND v.version = r.definition_version
    WHERE r.id = ${id}`;
  const [row] = rows;
  if (row === undefined) throw new Error(`Run ${id} or its definition's version is gone`);
  return {
    workflowRunId: id,
    orgId: row.org_id,
    orgName: row.org_name,
    workflowName: row.workflow_name,
    workflowDefinitionId: row.definition_id,
    definitionVersion: row.definition_version,
    startedAt: row.started_at,
    input: JSON.parse(row.input) as JsonObject,
    document: JSON.parse(row.document) as WorkflowDefinitionDocument,
  };
}
