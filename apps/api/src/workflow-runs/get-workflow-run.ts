import { z } from "zod";
import type { ApiSettings } from "../dependencies.ts";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { commaListParameter } from "../http/query.ts";
import { type Include, INCLUDES, readRun, toRunText, workflowRunIdParam } from "./read-run.ts";
import { workflowRunSchema } from "./run-view.ts";

/** One run with its steps, as the mirror has recorded them. */
export const getWorkflowRun = defineEndpoint({
  operationId: "getWorkflowRun",
  summary: "Get a workflow run",
  tag: "Workflow runs",
  access: "any_key",
  params: z.object({ workflow_run_id: workflowRunIdParam }),
  query: z.object({
    include: commaListParameter(INCLUDES, "What to add to the answer"),
  }),
  commaLists: ["include"],
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
    return {
      status: 200,
      headers: toHeaders(services.settings, run.id),
      text: toRunText(run, include),
    };
  },
});

function toHeaders(settings: ApiSettings, id: string): Record<string, string> {
  if (settings.temporalUiUrl === undefined) return {};
  const namespace = encodeURIComponent(settings.temporalNamespace);
  const page = `${settings.temporalUiUrl}/namespaces/${namespace}/workflows/${id}`;
  return { Link: `<${page}>; rel="describedby"` };
}
