import { HEAD_COLUMNS, type HeadRow, toHead } from "@truerun/shared/definitions/definition-store";
import { parseSummary, SUMMARY_COLUMN } from "@truerun/shared/definitions/definition-summary";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { pageParameters, pageSchema } from "../http/page.ts";
import { definitionEntrySchema, toDefinitionEntryView } from "./definition-view.ts";

type Entry = HeadRow & { summary: string };
type Row = { org_id: string; total: number } & (Entry | { id: null });

/** The org's definitions, ordered by name. */
export const listWorkflows = defineEndpoint({
  operationId: "listWorkflows",
  summary: "List workflow definitions",
  tag: "Workflow definitions",
  access: "any_key",
  query: z.object(pageParameters),
  responses: {
    200: {
      description: "One page of definitions, without their components, by name",
      schema: pageSchema(definitionEntrySchema, "WorkflowDefinitionPage"),
    },
  },
  errors: [],
  async handler(request, { db }) {
    const { limit, offset } = request.query;
    const rows = await db.$queryRaw<Row[]>`
      WITH ${authCte(request.credential)}, page AS (
        SELECT d.* FROM auth JOIN workflow_definitions d ON d.org_id = auth.org_id
        ORDER BY d.name COLLATE "C"
        LIMIT ${limit}::int8 OFFSET ${offset}::int8
      )
      SELECT auth.org_id, ${HEAD_COLUMNS}, ${SUMMARY_COLUMN},
        (SELECT count(*) FROM workflow_definitions a WHERE a.org_id = auth.org_id)::float8 AS total
      FROM auth
      LEFT JOIN page d ON true
      LEFT JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version
      ORDER BY d.name COLLATE "C"`;
    request.confirm(rows[0]?.org_id);
    const data = rows.flatMap((row) =>
      row.id === null ? [] : [toDefinitionEntryView(toHead(row), parseSummary(row.summary))],
    );
    return json(200, { data, total: rows[0]?.total ?? 0, limit, offset });
  },
});
