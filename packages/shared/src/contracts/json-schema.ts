import { z } from "zod";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

/** Where in `value` there is something that JSON cannot carry (`Infinity`, a Date, ...), or null. */
function findNonJson(value: unknown): (string | number)[] | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : [];
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const inner = findNonJson(item);
      if (inner !== null) return [index, ...inner];
    }
    return null;
  }
  if (!isJsonObject(value)) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return [];
  for (const [name, item] of Object.entries(value)) {
    const inner = findNonJson(item);
    if (inner !== null) return [name, ...inner];
  }
  return null;
}

function isJson(value: unknown): value is Json {
  return findNonJson(value) === null;
}

/** Any JSON value, passed on as it is: zod's own record type would drop a key named `__proto__`. */
export const jsonSchema = z
  .unknown()
  .meta({ description: "Any JSON value" })
  .transform((value, context): Json => {
    if (isJson(value)) return value;
    context.addIssue({
      code: "custom",
      path: findNonJson(value) ?? [],
      message: "Value should be one that JSON can carry",
    });
    return z.NEVER;
  });

/** A JSON object, passed on as it is. */
export const jsonObjectSchema = z
  .unknown()
  .meta({ type: "object" })
  .transform((value, context): JsonObject => {
    if (isJsonObject(value) && isJson(value)) return value;
    const place = isJsonObject(value) ? findNonJson(value) : null;
    if (place !== null) {
      const message = "Value should be one that JSON can carry";
      context.addIssue({ code: "custom", path: place, message });
    } else {
      const params = { type: value === undefined ? "missing" : "dict_type" };
      const message = "Input should be a valid dictionary";
      context.addIssue({ code: "custom", params, message });
    }
    return z.NEVER;
  });
