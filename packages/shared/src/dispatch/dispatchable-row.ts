import type { WorkflowDefinitionDocument } from "../contracts/definition.ts";
import type { JsonObject } from "../contracts/json.ts";
import { Prisma } from "../db.ts";
import type { DispatchableRun } from "./run-requested.ts";

/** What {@link DISPATCHABLE_COLUMNS} selects; JSON as its text. */
export interface DispatchableRow {
  id: string;
  org_id: string;
  org_name: string;
  workflow_name: string;
  definition_id: string;
  definition_version: number;
  started_at: number;
  input: string;
  document: string;
}

/** Of a run `r`, its org `o` and its definition's version `v`; see {@link DISPATCHABLE_JOINS}. */
export const DISPATCHABLE_COLUMNS = Prisma.sql`
  r.id, r.org_id, o.name AS org_name, r.workflow_name, r.definition_id, r.definition_version,
  floor(extract(epoch FROM r.started_at))::float8 AS started_at, r.input::text AS input,
  v.document::text AS document`;

/** Joins what a run `r` points to and its dispatch needs. */
export const DISPATCHABLE_JOINS = Prisma.sql`
  JOIN organizations o ON o.id = r.org_id
  JOIN workflow_definition_versions v
    ON v.definition_id = r.definition_id AND v.version = r.definition_version`;

/** A run as it was created: what every try to dispatch it hands over. */
export function toDispatchableRun(row: DispatchableRow): DispatchableRun {
  return {
    workflowRunId: row.id,
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
