import { z } from "zod";
import type { ApiConfig } from "../config.ts";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { commaListParameter } from "../http/query.ts";
import { readPending } from "./pending-run.ts";
import { type Include, INCLUDES, readRun, toRunText, workflowRunIdParam } from "./read-run.ts";
import { workflowRunSchema } from "./run-view.ts";

/** One run with its steps, as the mirror has recorded them. */
export const getWorkflowRun = defineEndpoint({
  operationId: "getWorkflowRun",
  summary: "Get a workflow run",
  description:
    "As recorded in the run tables. With `include=pending` Temporal is asked, for 1.5 s at most, why an open run and its steps have no result yet; when it does not answer, the answer says `unknown`.",
  tag: "Workflow runs",
  access: "any_key",
  params: z.object({ workflow_run_id: workflowRunIdParam }),
  query: z.object({
    include: commaListParameter(INCLUDES, "What to add to the answer"),
  }),
  responses: {
    200: {
      description: "The run",
      schema: workflowRunSchema,
      headers: z.object({
        Link: z.string().optional().meta({
          description: "The run's page in Temporal Web UI, rel=describedby, when it is configured",
        }),
      }),
    },
  },
  errors: ["workflow_run_not_found"],
  async handler(request, services) {
    const include = new Set<Include>(request.query.include);
    const run = await readRun(request, services, include);
    if (include.has("pending")) request.endTurn();
    const pending = include.has("pending") ? await readPending(services, run) : null;
    return {
      status: 200,
      headers: toHeaders(services.config, run.id),
      text: toRunText(run, include, pending),
    };
  },
});

function toHeaders(
  { TEMPORAL_UI_URL: uiUrl, TEMPORAL_NAMESPACE: temporalNamespace }: ApiConfig,
  id: string,
): Record<string, string> {
  if (uiUrl === undefined) return {};
  const namespace = encodeURIComponent(temporalNamespace);
  const page = `${uiUrl}/namespaces/${namespace}/workflows/${id}`;
  return { Link: `<${page}>; rel="describedby"` };
}
