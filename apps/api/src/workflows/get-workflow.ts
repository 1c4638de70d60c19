import {
  DEFINITION_COLUMNS,
  type DefinitionRow,
  toSavedDefinition,
} from "@truerun/shared/definitions/definition-store";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { workflowNotFound } from "../http/errors.ts";
import { workflowNameParam } from "../http/parameters.ts";
import { definitionSchema, toDefinitionView } from "./definition-view.ts";
import { getWorkflowName } from "./workflow-name.ts";

type Row = { org_id: string } & (DefinitionRow | { id: null });

/** One definition in its newest version. */
export const getWorkflow = defineEndpoint({
  operationId: "getWorkflow",
  summary: "Get a workflow definition",
  tag: "Workflow definitions",
  access: "any_key",
  params: z.object({ workflow_name: workflowNameParam }),
  responses: { 200: { description: "The definition", schema: definitionSchema } },
  errors: ["workflow_not_found"],
  async handler(request, { db }) {
    const name = getWorkflowName(request);
    const rows = await db.$queryRaw<Row[]>`
      WITH ${authCte(request.credential)}
      SELECT auth.org_id, ${DEFINITION_COLUMNS}
      FROM auth
      LEFT JOIN workflow_definitions d ON d.org_id = auth.org_id AND d.name = ${name}
      LEFT JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version`;
    const [row] = rows;
    request.confirm(row?.org_id);
    if (row === undefined || row.id === null) throw workflowNotFound(name);
    return json(200, toDefinitionView(toSavedDefinition(row)));
  },
});
