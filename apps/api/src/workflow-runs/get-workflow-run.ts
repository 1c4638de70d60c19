import { Prisma } from "@truerun/shared/db";
import { workflowRunNotFound } from "@truerun/shared/errors";
import { isId } from "@truerun/shared/ids";
import { z } from "zod";
import type { ApiSettings } from "../dependencies.ts";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { idSchema } from "../http/parameters.ts";
import { commaListParameter } from "../http/query.ts";
import {
  type RunRow,
  type StepRow,
  toRunView,
  toStepView,
  withMember,
  workflowRunSchema,
} from "./run-view.ts";

const INCLUDES = ["input", "error", "details"] as const;

type Row = { org_id: string } & (
  | { id: null }
  | (RunRow & {
      /** JSON text of a list of {@link StepRow}. */
      steps: string;
      input: string | null;
      error_code: string | null;
      error_message: string | null;
    })
);

const NOTHING = Prisma.sql`NULL`;
const DETAILS = Prisma.sql`json_build_object('attempt', s.attempt, 'output', s.output,
  'started_at_ms', s.started_at_ms, 'finished_at_ms', s.finished_at_ms, 'step_key', s.step_key,
  'item_index', s.item_index)`;

/** One run with its steps, as the mirror has recorded them. */
export const getWorkflowRun = defineEndpoint({
  operationId: "getWorkflowRun",
  summary: "Get a workflow run",
  tag: "Workflow runs",
  access: "any_key",
  params: z.object({ workflow_run_id: idSchema("cbwr", "The run") }),
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
  async handler(request, { db, settings }) {
    const id = request.param("workflow_run_id").text;
    if (id === null || !isId("cbwr", id)) throw workflowRunNotFound();
    const include = new Set<string>(request.query.include);
    const rows = await db.$queryRaw<Row[]>`
      WITH ${authCte(request.credential)}
      SELECT auth.org_id, r.id, d.name AS workflow_name, r.definition_id, r.status,
        floor(extract(epoch FROM r.started_at))::float8 AS started_at,
        floor(extract(epoch FROM r.completed_at))::float8 AS completed_at,
        r.error_code, r.error_message,
        ${include.has("input") ? Prisma.sql`r.input::text` : NOTHING} AS input,
        (SELECT coalesce(json_agg(json_build_object(
            'id', s.id, 'component_id', s.component_id, 'component_name', s.component_name,
            'action_type', s.action_type, 'status', s.status, 'message', s.message,
            'artifacts', s.artifacts,
            'created_at', floor(extract(epoch FROM s.created_at))::int8,
            'updated_at', floor(extract(epoch FROM s.updated_at))::int8,
            'details', ${include.has("details") ? DETAILS : NOTHING}
          ) ORDER BY s.ordinal), '[]')::text
         FROM workflow_run_steps s WHERE s.run_id = r.id AND s.generation = r.generation) AS steps
      FROM auth
      LEFT JOIN workflow_runs r ON r.id = ${id} AND r.org_id = auth.org_id
      LEFT JOIN workflow_definitions d ON d.id = r.definition_id AND d.org_id = auth.org_id`;
    const [row] = rows;
    request.confirm(row?.org_id);
    if (row === undefined || row.id === null) throw workflowRunNotFound();
    request.note({ workflowRunId: id });
    return { status: 200, headers: toHeaders(settings, id), text: toText(row, include) };
  },
});

function toText(row: Extract<Row, { id: string }>, include: ReadonlySet<string>): string {
  const rows = JSON.parse(row.steps) as (Omit<StepRow, "details"> & {
    details: StepRow["details"] | null;
  })[];
  const steps = rows.map(({ details, ...step }) =>
    toStepView(details === null || details === undefined ? step : { ...step, details }),
  );
  let text = JSON.stringify({ ...toRunView(row), steps });
  if (row.input !== null) text = withMember(text, "input", row.input);
  if (include.has("error")) {
    const { error_code: code, error_message: message } = row;
    const error = code === null ? null : { code, message: message ?? "" };
    text = withMember(text, "error", JSON.stringify(error));
  }
  return text;
}

function toHeaders(settings: ApiSettings, id: string): Record<string, string> {
  if (settings.temporalUiUrl === undefined) return {};
  const namespace = encodeURIComponent(settings.temporalNamespace);
  const page = `${settings.temporalUiUrl}/namespaces/${namespace}/workflows/${id}`;
  return { Link: `<${page}>; rel="describedby"` };
}
