import { type ComponentDefinition, MAX_ITEMS } from "../contracts/definition.ts";
import type { Json, JsonObject } from "../contracts/json.ts";
import { clipMessage } from "../storable-text.ts";
import type { Scope } from "./path.ts";
import {
  MAX_TEXT_LENGTH,
  type Resolution,
  ResolutionMemory,
  resolveReferences,
} from "./references.ts";
import type { HasChange } from "./rule-change.ts";

/** Byte limit for a resolved `with`; more belongs in a store, by reference. */
export const MAX_WITH_BYTES = 1024 * 1024;

/** What a component starts with, once or for each item. A `with` over the limit has only its size. */
export type Prepared =
  | { with?: JsonObject; bytes: number; items?: never }
  | { with?: never; bytes?: never; items: ItemSource };

/** A component to start now. */
export type ReadyComponent = { component: ComponentDefinition } & Prepared;

/** The items of a component with `for_each`. */
export interface ItemSource {
  count: number;
  /**
   * The `with` of one item, or only its size if it is over the limit; references may lead to something in one item
   * and to nothing in another.
   */
  resolve(index: number): Resolution<JsonObject>;
}

/** What a component starts with; or which references lead to nothing; or why it cannot start. */
type Preparation =
  | (Prepared & { missing?: never; refusal?: never })
  | { missing: string[] }
  | { missing?: never; refusal: string };

/**
 * Resolves a component's `with`; of one with `for_each` only the list: the `with` of an item is resolved when it is
 * asked for, because all of them together may be too large to keep.
 */
export function prepareComponent(
  component: ComponentDefinition,
  scope: Scope,
  hasChange: HasChange,
): Preparation {
  const { for_each: forEach } = component;
  if (forEach === undefined) {
    const resolved = resolveWith(component, scope);
    if (resolved.missing !== undefined) return { missing: resolved.missing };
    const { bytes } = resolved;
    return resolved.ok ? { with: resolved.value, bytes } : { bytes };
  }
  const resolved = resolveItems(forEach, scope, hasChange);
  if (resolved.missing !== undefined) return { missing: resolved.missing };
  if (!resolved.ok) return refuse(forEach, explainTexts(resolved.bytes));
  const { value: items } = resolved;
  if (!Array.isArray(items) || items.length > MAX_ITEMS) {
    return refuse(forEach, explainItems(items));
  }
  const memory = new ResolutionMemory();
  const resolve = (index: number): Resolution<JsonObject> =>
    resolveWith(component, { ...scope, item: { value: items[index] as Json, index } }, memory);
  return { items: { count: items.length, resolve } };
}

function resolveWith(
  component: ComponentDefinition,
  scope: Scope,
  memory = new ResolutionMemory(),
): Resolution<JsonObject> {
  const resolved = resolveReferences(component.with, scope, { memory });
  if (!resolved.ok || resolved.bytes <= MAX_WITH_BYTES) return resolved;
  return { ok: false, bytes: resolved.bytes };
}

function resolveItems(
  forEach: string | Json[],
  scope: Scope,
  hasChange: HasChange,
): Resolution<Json> {
  const resolved = resolveReferences(forEach, scope);
  const isTooLong = !resolved.ok && resolved.missing === undefined;
  if (!isTooLong || hasChange("limit-of-texts-in-for-each")) return resolved;
  return resolveReferences(forEach, scope, { maxTextLength: Number.POSITIVE_INFINITY });
}

/** Why a step whose references lead to nothing is skipped. */
export function explainMissing(missing: readonly string[]): string {
  return clipMessage(`Nothing found at ${missing.join(", ")}`);
}

/** Whatever the reason is, a reference may be as long as a definition, and a message may not. */
function refuse(forEach: string | Json[], reason: string): { refusal: string } {
  const what = typeof forEach === "string" ? `\`for_each\` (${forEach})` : "`for_each`";
  return { refusal: clipMessage(`${what} ${reason}`) };
}

function explainItems(value: Json): string {
  if (Array.isArray(value)) return `has ${value.length} items; ${MAX_ITEMS} are the most.`;
  const kind =
    value === null ? "null" : typeof value === "object" ? "an object" : `a ${typeof value}`;
  return `is ${kind}; a list is needed.`;
}

function explainTexts(bytes: number): string {
  return `has ${bytes} bytes; its texts may have ${MAX_TEXT_LENGTH} characters together.`;
}
