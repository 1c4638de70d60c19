/** A value that JSON can carry. Objects are read by own properties only: `__proto__` is an ordinary key. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** How deep request bodies and definitions may nest; the outermost object or list is level 1. */
export const MAX_NESTING = 100;
/** How deep a component's result may nest: deeper values overflow the stack of some reader or other. */
export const MAX_RESULT_NESTING = 500;

/** A JSON object. */
export interface JsonObject {
  [key: string]: Json;
}

/** Whether `value` is a JSON object: neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether `value` nests lists and objects more than `levels` deep. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => nestsDeeper(part, levels - 1));
}
