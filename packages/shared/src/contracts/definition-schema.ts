import { z } from "zod";
import type { Condition } from "./definition.ts";
import {
  COMPONENT_KEY_PATTERN,
  CONDITION_OPS,
  EDGE_TRIGGERS,
  FAILURE_POLICIES,
  MAX_COMPONENTS,
  MAX_CONCURRENCY,
  MAX_ITEMS,
  MAX_KEY_LENGTH,
} from "./definition.ts";
import {
  DURATION_PATTERN,
  durationMs,
  isDuration,
  MAX_ATTEMPT_TIMEOUT,
  MAX_RUN_TIMEOUT,
} from "./duration.ts";
import { isJsonObject } from "./json.ts";
import { jsonObjectSchema, jsonSchema } from "./json-schema.ts";

function duration(max: string, description: string): z.ZodType<string, string> {
  return z
    .string()
    .regex(DURATION_PATTERN)
    .refine((text) => !DURATION_PATTERN.test(text) || isWithin(text, max), {
      error: `Duration should be at most ${max}`,
    })
    .meta({ description, examples: ["30s", "10m", "24h"] });
}

function isWithin(text: string, max: string): boolean {
  return isDuration(text) && durationMs(text) <= durationMs(max);
}

const key = (description: string): z.ZodString =>
  z.string().min(1).max(MAX_KEY_LENGTH).regex(COMPONENT_KEY_PATTERN).describe(description);

const conditionLeafSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      "Where the value is: input..., steps.<key>.output..., steps.<key>.status, run.id, run.workflow_name or run.started_at",
    ),
  op: z
    .enum(CONDITION_OPS)
    .describe(
      "How the value is compared. Against a missing value or another type only 'ne' holds.",
    ),
  value: jsonSchema
    .exactOptional()
    .describe("What it is compared with; 'in' takes a list, 'exists' nothing or a boolean"),
});

/** A condition's form. `checkDefinition` checks its size, and whether each `value` suits its op. */
const conditionSchema: z.ZodType<Condition> = z
  .union([
    conditionLeafSchema,
    z.strictObject({
      get all() {
        return z.array(conditionSchema).describe("Every one of these holds");
      },
    }),
    z.strictObject({
      get any() {
        return z.array(conditionSchema).describe("At least one of these holds");
      },
    }),
    z.strictObject({
      get not() {
        return conditionSchema.describe("This one does not hold");
      },
    }),
  ])
  .meta({ id: "Condition", description: "A comparison, or all/any/not of conditions" });

const edgeSchema = z
  .strictObject({
    to: key("Key of the component that comes next"),
    on: z
      .enum(EDGE_TRIGGERS)
      .default("success")
      .describe("Which outcome the edge follows; 'always' is success or failure, never skipped"),
    when: conditionSchema
      .exactOptional()
      .describe("Looked at once the outcome matches 'on'; the edge is taken only if it holds"),
  })
  .meta({ id: "Edge", description: "An edge to a component that comes next" });

const retryFields = {
  max_attempts: z.int().min(1).max(10_000).describe("Attempts in all, the first included"),
  initial_interval: duration(MAX_ATTEMPT_TIMEOUT, "Pause before the second attempt"),
  backoff_coefficient: z
    .number()
    .min(1)
    .max(100)
    .describe("By how much each pause is longer than the one before it"),
  max_interval: duration(MAX_ATTEMPT_TIMEOUT, "Longest pause between two attempts"),
};

/** Temporal refuses a policy whose longest pause is shorter than its first. */
function hasOrderedIntervals(retry: unknown): boolean {
  if (!isJsonObject(retry)) return true;
  const { initial_interval: first, max_interval: longest } = retry;
  if (typeof first !== "string" || typeof longest !== "string") return true;
  return !isDuration(first) || !isDuration(longest) || durationMs(first) <= durationMs(longest);
}

const ORDERED_INTERVALS = {
  error: "max_interval should not be shorter than initial_interval",
  path: ["max_interval"],
  // Checked even when other fields are faulty, so that all faults are listed.
  when: () => true,
};

/** A retry policy as an author writes it. */
export const retryInputSchema = z
  .strictObject({
    max_attempts: retryFields.max_attempts.exactOptional(),
    initial_interval: retryFields.initial_interval.exactOptional(),
    backoff_coefficient: retryFields.backoff_coefficient.exactOptional(),
    max_interval: retryFields.max_interval.exactOptional(),
  })
  .refine(hasOrderedIntervals, ORDERED_INTERVALS)
  .meta({
    id: "Retry",
    description: "How failing attempts are repeated; what is left out is the action's default",
  });

/** `timeout` of a component. */
export const attemptTimeoutSchema = duration(MAX_ATTEMPT_TIMEOUT, "Timeout of one attempt");
const componentName = z.string().min(1).max(255).describe("Name that readers of a run see");
const forEach = z
  .union([z.string().min(1), z.array(jsonSchema).max(MAX_ITEMS)])
  .describe("A list, or the reference to one: one step for each item, seen as 'item' and 'index'");
const maxConcurrency = z
  .int()
  .min(1)
  .max(MAX_CONCURRENCY)
  .describe("How many items run at once; 10 if left out");
const onFailure = z
  .enum(FAILURE_POLICIES)
  .default("fail_run")
  .describe("Whether a failure of this component fails the run, or the run goes on without it");

const componentInputSchema = z
  .strictObject({
    key: key("Name of the component inside the definition, unique there"),
    name: componentName.exactOptional(),
    action: z.string().min(1).max(255).describe("Action type: which component activity runs it"),
    with: jsonObjectSchema
      .default({})
      .describe("What the action gets; strings may hold references such as ${{ input.due_date }}"),
    next: z.array(edgeSchema).max(MAX_COMPONENTS).default([]).describe("What comes after it"),
    for_each: forEach.exactOptional(),
    max_concurrency: maxConcurrency.exactOptional(),
    timeout: attemptTimeoutSchema.exactOptional(),
    retry: retryInputSchema.exactOptional(),
    on_failure: onFailure,
  })
  .meta({ id: "Component", description: "One component" });

const runTimeout = duration(MAX_RUN_TIMEOUT, "Timeout of the whole run; 30d if left out");
const description = z.string().max(10_000).describe("What the workflow is for");

/** A definition as callers send it and YAML files hold it. Unknown fields are refused. */
export const workflowDefinitionInputSchema = z
  .strictObject({
    description: description.exactOptional(),
    enabled: z.boolean().default(true).describe("Whether runs can be started"),
    timeout: runTimeout.exactOptional(),
    components: z
      .array(componentInputSchema)
      .min(1)
      .max(MAX_COMPONENTS)
      .describe("The components; those that no 'next' points to start the run"),
  })
  .meta({ title: "Workflow definition", description: "A workflow definition" });
