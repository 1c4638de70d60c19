import { RUN_STATUSES } from "@truerun/shared/contracts/statuses";
import { Prisma } from "@truerun/shared/db";
import { isWorkflowName } from "@truerun/shared/definitions/workflow-name";
import { workflowNotFound } from "@truerun/shared/errors";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { pageParameters, pageSchema } from "../http/page.ts";
import { enumListParameter, integerParameter, textParameter } from "../http/query.ts";
import { type RunRow, toRunEntryView, workflowRunEntrySchema } from "./run-view.ts";

const querySchema = z.object({
  workflow_name: textParameter("Runs of this workflow definition only"),
  status: enumListParameter(RUN_STATUSES, "Runs of these states only"),
  created_at_after: integerParameter({ description: "Runs created at this unix second or later" }),
  created_at_before: integerParameter({
    description: "Runs created at this unix second or earlier",
  }),
  ...pageParameters,
});

interface Row {
  org_id: string;
  name_known: boolean;
  total: number;
  /** JSON text of the page's rows. */
  entries: string;
}

/** The org's runs, newest first. */
export const listWorkflowRuns = defineEndpoint({
  operationId: "listWorkflowRuns",
  summary: "List workflow runs",
  tag: "Workflow runs",
  access: "any_key",
  query: querySchema,
  responses: {
    200: {
      description: "One page of runs, newest first",
      schema: pageSchema(workflowRunEntrySchema, "WorkflowRunPage"),
    },
  },
  errors: ["workflow_not_found"],
  async handler(request, { db }) {
    const { workflow_name: name, limit, offset } = request.query;
    if (name !== undefined && !isWorkflowName(name)) throw workflowNotFound(name);
    const filter = toFilter(request.query);
    const rows = await db.$queryRaw<Row[]>`
      WITH ${authCte(request.credential)}, definition AS (
        SELECT d.id FROM auth JOIN workflow_definitions d
          ON d.org_id = auth.org_id AND d.name = ${name ?? null}::text
      ), page AS (
        SELECT r.id, r.definition_id, r.status, r.started_at, r.completed_at, r.generation,
          -- What the end said is exact once it is confirmed; counting thousands of steps a run takes long.
          CASE WHEN r.confirmed_at IS NOT NULL THEN r.step_count END AS step_count
        FROM workflow_runs r WHERE ${filter}
        ORDER BY r.started_at DESC, r.id DESC
        LIMIT ${limit}::int8 OFFSET ${offset}::int8
      )
      SELECT auth.org_id, EXISTS (SELECT FROM definition) AS name_known,
        (SELECT count(*) FROM workflow_runs r WHERE ${filter})::float8 AS total,
        (SELECT coalesce(json_agg(json_build_object(
            'id', page.id, 'workflow_name', d.name, 'definition_id', page.definition_id,
            'status', page.status,
            'started_at', floor(extract(epoch FROM page.started_at))::int8,
            'completed_at', floor(extract(epoch FROM page.completed_at))::int8,
            'step_count', coalesce(page.step_count, (SELECT count(*) FROM workflow_run_steps s
              WHERE s.run_id = page.id AND s.generation = page.generation))
          ) ORDER BY page.started_at DESC, page.id DESC), '[]')::text
         FROM page LEFT JOIN workflow_definitions d ON d.id = page.definition_id) AS entries
      FROM auth`;
    const [row] = rows;
    request.confirm(row?.org_id);
    if (name !== undefined && row?.name_known !== true) throw workflowNotFound(name);
    const entries = JSON.parse(row?.entries ?? "[]") as (RunRow & { step_count: number })[];
    const data = entries.map(toRunEntryView);
    return json(200, { data, total: row?.total ?? 0, limit, offset });
  },
});

/** Seconds between which Postgres has timestamps and this product has runs (years 1 to 9999). */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

function toTimestamp(seconds: number): Prisma.Sql {
  const clamped = Math.min(Math.max(seconds, FIRST_SECOND), LAST_SECOND);
  return Prisma.sql`to_timestamp(${clamped}::float8)`;
}

function toFilter(query: z.output<typeof querySchema>): Prisma.Sql {
  const { workflow_name: name, status, created_at_after: after, created_at_before: before } = query;
  const conditions = [Prisma.sql`r.org_id = (SELECT org_id FROM auth)`];
  if (name !== undefined) {
    conditions.push(Prisma.sql`r.definition_id = (SELECT id FROM definition)`);
  }
  if (status !== undefined) conditions.push(Prisma.sql`r.status = ANY(${status}::text[])`);
  if (after !== undefined) conditions.push(Prisma.sql`r.started_at >= ${toTimestamp(after)}`);
  // A run created within that second counts, so what is excluded begins with the next one.
  if (before !== undefined) conditions.push(Prisma.sql`r.started_at < ${toTimestamp(before + 1)}`);
  return Prisma.join(conditions, " AND ");
}
