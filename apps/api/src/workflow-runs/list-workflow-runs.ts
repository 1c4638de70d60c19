import { RUN_STATUSES } from "@truerun/shared/contracts/statuses";
import { isWorkflowName } from "@truerun/shared/definitions/workflow-name";
import { z } from "zod";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { workflowNotFound } from "../http/errors.ts";
import { pageParameters, pageSchema } from "../http/page.ts";
import { enumListParameter, integerParameter, textParameter } from "../http/query.ts";
import { readRunPage } from "./run-page.ts";
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
    const { workflow_name: name, status, limit, offset } = request.query;
    if (name !== undefined && !isWorkflowName(name)) throw workflowNotFound(name);
    const row = await readRunPage(db, {
      credential: request.credential,
      workflowName: name ?? null,
      // Each once, however often it is given.
      statuses: RUN_STATUSES.filter((each) => status?.includes(each) ?? true),
      createdAfter: request.query.created_at_after ?? null,
      createdBefore: request.query.created_at_before ?? null,
      limit,
      offset,
    });
    request.confirm(row?.org_id);
    if (name !== undefined && row?.name_known !== true) throw workflowNotFound(name);
    const entries = JSON.parse(row?.entries ?? "[]") as (RunRow & { step_count: number })[];
    const data = entries.map(toRunEntryView);
    return json(200, { data, total: row?.total ?? 0, limit, offset });
  },
});
