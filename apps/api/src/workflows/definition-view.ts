import {
  EDGE_TRIGGERS,
  FAILURE_POLICIES,
  type WorkflowDefinitionDocument,
} from "@truerun/shared/contracts/definition";
import type { DefinitionHead, SavedDefinition } from "@truerun/shared/definitions/definition-store";
import type { DefinitionSummary } from "@truerun/shared/definitions/definition-summary";
import { z } from "zod";
import { idSchema, timeSchema } from "../http/parameters.ts";

// Maps a saved definition to the API's form. List entries leave out the components.

const componentSchema = z
  .strictObject({
    component_id: idSchema("cbwc", "The component; the same in every version"),
    key: z.string(),
    name: z.string(),
    action: z.string(),
    with: z.record(z.string(), z.unknown()),
    next: z.array(
      z.strictObject({
        to: z.string(),
        on: z.enum(EDGE_TRIGGERS),
        when: z.unknown().optional(),
      }),
    ),
    timeout: z.string(),
    retry: z.strictObject({
      max_attempts: z.int(),
      initial_interval: z.string(),
      backoff_coefficient: z.number(),
      max_interval: z.string(),
    }),
    on_failure: z.enum(FAILURE_POLICIES),
    for_each: z
      .union([z.string(), z.array(z.unknown())])
      .optional()
      .meta({ description: "Only of a component that runs once for each item" }),
    max_concurrency: z.int().optional().meta({ description: "Exactly where for_each is" }),
  })
  .meta({ id: "SavedComponent", description: "A component with every default filled in" });

const head = {
  workflow_definition_id: idSchema("cbwd", "The workflow definition"),
  workflow_name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  version: z.int().positive(),
  timeout: z.string(),
  created_at: timeSchema("When the definition was created"),
  updated_at: timeSchema("When the definition was last changed"),
};

/** One entry of the list of definitions. */
export const definitionEntrySchema = z.strictObject(head).meta({ id: "WorkflowDefinitionEntry" });

/** A definition with its components. */
export const definitionSchema = z
  .strictObject({ ...head, components: z.array(componentSchema) })
  .meta({ id: "SavedWorkflowDefinition" });

export function toDefinitionEntryView(
  head: DefinitionHead,
  { description, timeout }: Pick<DefinitionSummary, "description" | "timeout">,
) {
  return {
    workflow_definition_id: head.id,
    workflow_name: head.name,
    description,
    enabled: head.enabled,
    version: head.version,
    timeout,
    created_at: toSeconds(head.createdAt),
    updated_at: toSeconds(head.updatedAt),
  };
}

export function toDefinitionView(definition: SavedDefinition) {
  const components = definition.document.components.map(toComponentView);
  return { ...toDefinitionEntryView(definition, definition.document), components };
}

function toComponentView(component: WorkflowDefinitionDocument["components"][number]) {
  const { for_each, max_concurrency } = component;
  return {
    component_id: component.id,
    key: component.key,
    name: component.name,
    action: component.action,
    with: component.with,
    next: component.next,
    timeout: component.timeout,
    retry: component.retry,
    on_failure: component.on_failure,
    ...(for_each === undefined ? {} : { for_each, max_concurrency }),
  };
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000);
}
