import { z } from "zod";
import { workflowDefinitionInputSchema } from "./definition-schema.ts";

/**
 * JSON Schema (draft 7, which every editor's YAML support reads) of the files in `workflows/`. It is
 * checked in as `workflows/workflow.schema.json`.
 */
export function definitionJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(workflowDefinitionInputSchema, { target: "draft-07", io: "input" });
}

/** The text of the checked-in file. */
export function definitionJsonSchemaText(): string {
  return `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`;
}
