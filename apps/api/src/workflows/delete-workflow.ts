import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { workflowNotFound } from "../http/errors.ts";
import { workflowNameParam } from "../http/parameters.ts";
import { getWorkflowName } from "./workflow-name.ts";

/**
 * Deletes a definition: its name becomes free and its runs no longer have a name. Its versions stay, for
 * runs that have yet to be dispatched.
 */
export const deleteWorkflow = defineEndpoint({
  operationId: "deleteWorkflow",
  summary: "Delete a workflow definition",
  description: "Its runs stay readable and runs under way go on.",
  tag: "Workflow definitions",
  access: "workflows:write",
  params: z.object({ workflow_name: workflowNameParam }),
  responses: { 204: { description: "The definition is gone" } },
  errors: ["workflow_not_found"],
  async handler(request, { db }) {
    const name = getWorkflowName(request);
    const rows = await db.$queryRaw<{ org_id: string; id: string | null }[]>`
      WITH ${authCte(request.credential)}, deleted AS (
        DELETE FROM workflow_definitions AS w USING auth
        WHERE w.org_id = auth.org_id AND w.name = ${name}
        RETURNING w.id
      )
      SELECT auth.org_id, deleted.id FROM auth LEFT JOIN deleted ON true`;
    request.confirm(rows[0]?.org_id);
    if ((rows[0]?.id ?? null) === null) throw workflowNotFound(name);
    return { status: 204 };
  },
});
