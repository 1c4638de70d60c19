import type { z } from "zod";
import type { ComponentDefinition, RetryPolicy, WorkflowDefinitionInput } from "./definition.ts";
import {
  DEFAULT_ATTEMPT_TIMEOUT,
  DEFAULT_CONCURRENCY,
  DEFAULT_RETRY,
  MAX_COMPONENTS,
  MAX_LOCAL_TIMEOUT,
} from "./definition.ts";
import { checkExpressions } from "./definition-expressions.ts";
import { checkGraph, createUpstream } from "./definition-graph.ts";
import { retryInputSchema, workflowDefinitionInputSchema } from "./definition-schema.ts";
import { findSizeFault } from "./definition-size.ts";
import { type ComponentView, viewDefinition } from "./definition-view.ts";
import { createWithCheck } from "./definition-with-schema.ts";
import { durationMs, isDuration } from "./duration.ts";
import { FaultList, mergeFaults } from "./fault-list.ts";
import type { Fault } from "./faults.ts";
import { parseOrFaults, toChoices, valueFault } from "./faults.ts";
import type { Json } from "./json.ts";
import { isJsonObject } from "./json.ts";

/** What the check needs to know about an action. */
export interface CatalogueAction {
  action_type: string;
  /** JSON Schema, draft 2020-12, of the action's `with`. */
  input_schema: Json;
  /** `{ timeout, retry, execution, heartbeat_timeout }`; missing ones have the engine's defaults. */
  defaults: Json;
  /** Where another team's worker polls, if it serves the action. */
  task_queue?: string | null;
}

/** A definition with every default filled in; its components have no ids yet. */
export interface CheckedDefinition {
  description: string;
  enabled: boolean;
  timeout: string;
  components: Omit<ComponentDefinition, "id">[];
}

/** Every fault's `loc` starts inside the definition: `["components", 1, "next", 0, "to"]`. */
export type CheckResult =
  | { ok: true; definition: CheckedDefinition }
  | { ok: false; faults: Fault[] };

const DEFAULT_RUN_TIMEOUT = "30d";

/**
 * Checks a definition in the format of `workflows/*.yaml` and fills in its defaults, or lists all its faults:
 * in its form, its graph and its expressions, and in each `with` according to the action's schema.
 */
export function checkDefinition(
  input: unknown,
  catalogue: readonly CatalogueAction[],
): CheckResult {
  const tooLarge = findSizeFault(input);
  if (tooLarge !== null) return { ok: false, faults: [tooLarge] };
  const parsed = parseOrFaults(workflowDefinitionInputSchema, input, []);
  const form = "faults" in parsed ? parsed.faults : [];
  // A fault of form hides others at its place.
  const all = mergeFaults(form, checkContent(viewDefinition(input), catalogue));
  const faults = all.toSorted((a, b) => componentIndex(a) - componentIndex(b));
  if (!("value" in parsed) || faults.length > 0) return { ok: false, faults };
  return { ok: true, definition: fillDefaults(parsed.value, catalogue) };
}

function checkContent(
  components: readonly ComponentView[],
  catalogue: readonly CatalogueAction[],
): Fault[] {
  // Too many components are a fault already; the work below grows with their number.
  if (components.length > MAX_COMPONENTS) return [];
  const schemas = new Map(catalogue.map((each) => [each.action_type, each.input_schema]));
  const upstream = createUpstream(components);
  const checkWith = createWithCheck(schemas);
  const faults = new FaultList();
  faults.addAll(checkGraph(components));
  for (const component of components) {
    const { action, loc, with: input } = component;
    faults.addAll(checkExpressions(component, upstream));
    if (action === null) continue;
    if (!schemas.has(action)) {
      faults.add(() => unknownAction([...loc, "action"], action, [...schemas.keys()]));
    } else if (input !== null) {
      const inside = checkWith(action, input);
      faults.addAll(inside.map((fault) => ({ ...fault, loc: [...loc, "with", ...fault.loc] })));
    }
  }
  return faults.toFaults();
}

function unknownAction(loc: Fault["loc"], action: string, known: readonly string[]): Fault {
  const hint = known.length === 0 ? "none is published yet" : `known are ${toChoices(known)}`;
  return valueFault(loc, `unknown action type '${action}'; ${hint}`);
}

function componentIndex({ loc }: Fault): number {
  return loc[0] === "components" && typeof loc[1] === "number" ? loc[1] : -1;
}

function fillDefaults(
  input: WorkflowDefinitionInput,
  catalogue: readonly CatalogueAction[],
): CheckedDefinition {
  const actions = new Map(
    catalogue.map((each) => [each.action_type, { ...each, ...readDefaults(each.defaults) }]),
  );
  return {
    description: input.description ?? "",
    enabled: input.enabled,
    timeout: input.timeout ?? DEFAULT_RUN_TIMEOUT,
    components: input.components.map((component) => {
      const ofAction = actions.get(component.action);
      const timeout = component.timeout ?? ofAction?.timeout ?? DEFAULT_ATTEMPT_TIMEOUT;
      return {
        key: component.key,
        name: component.name ?? component.key,
        action: component.action,
        with: component.with,
        next: component.next,
        timeout,
        retry: fillRetry(component.retry ?? {}, { ...DEFAULT_RETRY, ...ofAction?.retry }),
        on_failure: component.on_failure,
        ...fillForEach(component),
        ...fillExecution(ofAction, timeout),
        ...fillExternal(ofAction),
      };
    }),
  };
}

function fillForEach(component: WorkflowDefinitionInput["components"][number]) {
  const { for_each, max_concurrency = DEFAULT_CONCURRENCY } = component;
  return for_each === undefined ? {} : { for_each, max_concurrency };
}

/** An attempt too long for a workflow task runs as an ordinary activity. */
function fillExecution(
  action: ActionDefaults | undefined,
  timeout: string,
): Pick<ComponentDefinition, "execution"> {
  const fits = durationMs(timeout) <= durationMs(MAX_LOCAL_TIMEOUT);
  return action?.execution === "local" && fits ? { execution: "local" } : {};
}

/** How another team's worker is reached; actions that our own workers serve have neither. */
function fillExternal(
  action: (Pick<CatalogueAction, "task_queue"> & ActionDefaults) | undefined,
): Pick<ComponentDefinition, "task_queue" | "heartbeat_timeout"> {
  const { task_queue, heartbeat_timeout } = action ?? {};
  if (task_queue == null) return {};
  return { task_queue, ...(heartbeat_timeout === undefined ? {} : { heartbeat_timeout }) };
}

interface ActionDefaults {
  timeout?: string;
  execution?: "local";
  heartbeat_timeout?: string;
  retry?: z.infer<typeof retryInputSchema>;
}

function readDefaults(defaults: Json): ActionDefaults {
  if (!isJsonObject(defaults)) return {};
  const retry = retryInputSchema.safeParse(defaults["retry"]);
  const { timeout, execution, heartbeat_timeout } = defaults;
  return {
    ...(isDurationText(timeout) ? { timeout } : {}),
    ...(execution === "local" ? { execution } : {}),
    ...(isDurationText(heartbeat_timeout) ? { heartbeat_timeout } : {}),
    ...(retry.success ? { retry: retry.data } : {}),
  };
}

function isDurationText(value: Json | undefined): value is string {
  return typeof value === "string" && isDuration(value);
}

/** Where only one interval is written and contradicts the other's default, the default gives way. */
function fillRetry(written: Partial<RetryPolicy>, defaults: RetryPolicy): RetryPolicy {
  const retry = { ...defaults, ...written };
  if (durationMs(retry.max_interval) >= durationMs(retry.initial_interval)) return retry;
  return written.max_interval === undefined
    ? { ...retry, max_interval: retry.initial_interval }
    : { ...retry, initial_interval: retry.max_interval };
}
