import type { JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

/** An edge as far as it is well-formed. */
export interface EdgeView {
  loc: (string | number)[];
  /** Null: not a text. */
  to: string | null;
  /** The value of `when`; undefined: absent. */
  when: unknown;
}

/** A component as far as it is well-formed. */
export interface ComponentView {
  loc: (string | number)[];
  key: string | null;
  action: string | null;
  with: JsonObject | null;
  /** The value of `for_each`; undefined: absent. */
  forEach: unknown;
  /** Whether `max_concurrency` is present. */
  hasConcurrency: boolean;
  next: EdgeView[];
}

/**
 * What can be checked in a definition that may have faults anywhere, so that one answer lists the faults of
 * its form and those of its graph.
 */
export function viewDefinition(input: unknown): ComponentView[] {
  const components = isJsonObject(input) ? input["components"] : undefined;
  if (!Array.isArray(components)) return [];
  return components.flatMap((component: unknown, index) =>
    isJsonObject(component) ? [viewComponent(component, index)] : [],
  );
}

function viewComponent(component: JsonObject, index: number): ComponentView {
  const loc = ["components", index];
  const { key, action, with: input = {}, next } = component;
  return {
    loc,
    key: typeof key === "string" ? key : null,
    action: typeof action === "string" && action !== "" ? action : null,
    with: isJsonObject(input) ? input : null,
    forEach: component["for_each"],
    hasConcurrency: component["max_concurrency"] !== undefined,
    next: Array.isArray(next)
      ? next.flatMap((edge, place) => {
          if (!isJsonObject(edge)) return [];
          const to = typeof edge["to"] === "string" ? edge["to"] : null;
          return [{ loc: [...loc, "next", place], to, when: edge["when"] }];
        })
      : [],
  };
}
