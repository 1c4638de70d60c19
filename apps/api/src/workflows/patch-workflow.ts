import {
  DEFINITION_COLUMNS,
  type DefinitionRow,
  toSavedDefinition,
} from "@truerun/shared/definitions/definition-store";
import { workflowNotFound } from "@truerun/shared/errors";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { parseJsonRequest } from "../http/json-request.ts";
import { workflowNameParam } from "../http/parameters.ts";
import { definitionSchema, toDefinitionView } from "./definition-view.ts";
import { getWorkflowName } from "./workflow-name.ts";

const bodySchema = z
  .strictObject({ enabled: z.boolean().meta({ description: "Whether it may be run" }) })
  .meta({ id: "WorkflowDefinitionPatch" });

type Row = { org_id: string } & (DefinitionRow | { id: null });

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
        RETURNING w.*
      )
      SELECT auth.org_id, ${DEFINITION_COLUMNS}
      FROM auth
      LEFT JOIN d ON true
      LEFT JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version`;
    const [row] = rows;
    request.confirm(row?.org_id);
    if (row === undefined || row.id === null) throw workflowNotFound(name);
    return json(200, toDefinitionView(toSavedDefinition(row)));
  },
});
