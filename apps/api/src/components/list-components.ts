import type { CatalogueEntry } from "@truerun/shared/definitions/load-catalogue";
import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
import { defineEndpoint, type ResponseExample } from "../http/define-endpoint.ts";

function jsonSchema(description: string) {
  return z.record(z.string(), z.unknown()).meta({ description });
}

const componentTypeSchema = z
  .strictObject({
    action_type: z
      .string()
      .meta({ example: "transform", description: "What a component's `action` names" }),
    title: z.string().meta({ example: "Transform" }),
    description: z.string().meta({ description: "What it does, and when it fails or is retried" }),
    input_schema: jsonSchema("JSON Schema of a component's `with`, its references resolved"),
    output_schema: jsonSchema("JSON Schema of `steps.<key>.output`"),
    defaults: z.record(z.string(), z.unknown()).meta({
      description:
        "`timeout` of an attempt and `retry` where a component says none; `execution: local` of one that runs inside of its run's workflow task",
    }),
  })
  .meta({ id: "ComponentType" });

/** The actions that definitions may use, as the workers have published them. */
export const listComponents = defineEndpoint({
  operationId: "listComponents",
  summary: "List the actions that components can have, with their schemas and defaults",
  tag: "Catalogue",
  access: "any_key",
  responses: {
    200: {
      description: "The catalogue",
      schema: z.strictObject({ data: z.array(componentTypeSchema) }).meta({ id: "Catalogue" }),
      examples: toExamples,
    },
  },
  errors: [],
  async handler(request, { db }) {
    // Assembled as text, so that a schema's stored JSON goes out unchanged.
    const rows = await db.$queryRaw<{ org_id: string; data: string }[]>`
      WITH ${authCte(request.credential)}
      SELECT auth.org_id, (
        SELECT coalesce(json_agg(json_build_object(
            'action_type', c.action_type, 'title', c.title, 'description', c.description,
            'input_schema', c.input_schema, 'output_schema', c.output_schema,
            'defaults', c.defaults
          ) ORDER BY c.action_type COLLATE "C"), '[]')::text
        FROM component_types c) AS data
      FROM auth`;
    request.confirm(rows[0]?.org_id);
    return { status: 200, text: `{"data":${rows[0]?.data ?? "[]"}}` };
  },
});

/** One example per action, so that the reference shows all of them to readers without a key. */
function toExamples(catalogue: readonly CatalogueEntry[]): Record<string, ResponseExample> {
  return Object.fromEntries(
    catalogue.map(({ task_queue: _place, ...entry }) => {
      const { action_type, title, description } = entry;
      const summary = `${action_type}: ${title}`;
      return [action_type, { summary, description, value: { data: [entry] } }];
    }),
  );
}
