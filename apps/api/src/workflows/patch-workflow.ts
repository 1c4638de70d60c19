import type { Database } from "@truerun/shared/db";
import {
  type DefinitionRow,
  toSavedDefinition,
} from "@truerun/shared/definitions/definition-store";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { workflowNotFound } from "../http/errors.ts";
import { parseJsonRequest } from "../http/json-request.ts";
import { workflowNameParam } from "../http/parameters.ts";
import { definitionSchema, toDefinitionView } from "./definition-view.ts";
import { getWorkflowName } from "./workflow-name.ts";

const bodySchema = z
  .strictObject({ enabled: z.boolean().meta({ description: "Whether it may be run" }) })
  .meta({ id: "WorkflowDefinitionPatch" });

type Head = Omit<DefinitionRow, "document">;
type Row = { org_id: string } & (Head | { id: null });

/** Enables or disables a definition; its version stays. */
export const patchWorkflow = defineEndpoint({
  operationId: "patchWorkflow",
  summary: "Enable or disable a workflow definition",
  tag: "Workflow definitions",
  access: "workflows:write",
  params: z.object({ workflow_name: workflowNameParam }),
  body: { schema: bodySchema, required: true, example: { enabled: false } },
  responses: { 200: { description: "The definition", schema: definitionSchema } },
  errors: ["workflow_not_found"],
  async handler(request, { db }) {
    const { enabled } = parseJsonRequest(request.body, bodySchema);
    const name = getWorkflowName(request);
    const rows = await db.$queryRaw<Row[]>`
      WITH ${authCte(request.credential)}, d AS (
        UPDATE workflow_definitions AS w SET enabled = ${enabled}, updated_at = clock_timestamp()
        FROM auth WHERE w.org_id = auth.org_id AND w.name = ${name}
        RETURNING w.id, w.name, w.enabled, w.version, w.created_at, w.updated_at
      )
      SELECT auth.org_id, d.* FROM auth LEFT JOIN d ON true`;
    const [row] = rows;
    request.confirm(row?.org_id);
    if (row === undefined || row.id === null) throw workflowNotFound(name);
    const document = await getDocumentText(db, row);
    return json(200, toDefinitionView(toSavedDefinition({ ...row, document })));
  },
});

/**
 * The document of a head's version. Needs a separate statement: an `UPDATE` that waited for a concurrent
 * replacement sees the new version's number, but its snapshot is too old to see the new document.
 */
async function getDocumentText(db: Database, { id, version }: Head): Promise<string> {
  const rows = await db.$queryRaw<{ document: string }[]>`
    SELECT document::text AS document FROM workflow_definition_versions
    WHERE definition_id = ${id} AND version = ${version}`;
  const [row] = rows;
  if (row === undefined) throw new Error(`Version ${version} of the definition ${id} is gone`);
  return row.document;
}
