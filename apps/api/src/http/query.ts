import type {} from "zod-openapi";
import { z } from "zod";

/** A query string as lists of texts by name, for an object of the schemas in this file. */
export function toQueryLists(query: string, { shape }: z.ZodObject): Record<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const values = schema !== undefined && isCommaList(schema) ? toWords(value) : [value];
    const list = lists.get(name);
    if (list === undefined) lists.set(name, values);
    else list.push(...values);
  }
  return Object.fromEntries(lists);
}

/** How a parameter that is split at commas is documented; those documented with this very object are split. */
const COMMA_SEPARATED = { style: "form", explode: false } as const;

/** Splitting is not left to the schema: the place of a fault is looked up in what the schema was given. */
function isCommaList(schema: z.core.$ZodType): boolean {
  return z.globalRegistry.get(schema)?.param === COMMA_SEPARATED;
}

/** The empty text is the empty list. */
function toWords(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

const INTEGER = /^[+-]?\d+$/;

interface IntegerOptions {
  description: string;
  min?: number;
  max?: number;
  /** The value when it is not given; for documentation only. */
  fallback?: number;
}

/** An integer given at most once: sign and decimal digits, within ±(2^53−1). */
export function integerParameter(options: IntegerOptions) {
  return z
    .array(z.string())
    .transform((texts, context) => {
      const [text = ""] = texts;
      const value = Number(text);
      if (texts.length > 1) return refuse(context, "int_type", "Input should be a valid integer");
      if (!INTEGER.test(text) || !Number.isSafeInteger(value))
        return refuse(context, ...NO_INTEGER);
      if (options.min !== undefined && value < options.min) {
        const message = `Input should be greater than or equal to ${options.min}`;
        return refuse(context, "greater_than_equal", message);
      }
      if (options.max !== undefined && value > options.max) {
        const message = `Input should be less than or equal to ${options.max}`;
        return refuse(context, "less_than_equal", message);
      }
      // Adding 0 turns -0 into 0.
      return value + 0;
    })
    .meta({
      override: ({ jsonSchema }: { jsonSchema: object }) =>
        replace(jsonSchema, {
          type: "integer",
          minimum: options.min ?? Number.MIN_SAFE_INTEGER,
          maximum: options.max ?? Number.MAX_SAFE_INTEGER,
          ...(options.fallback === undefined ? {} : { default: options.fallback }),
        }),
    })
    .optional()
    .meta({ description: options.description });
}

/** An integer with a default. */
export function integerParameterOr(fallback: number, options: IntegerOptions) {
  const description = `${options.description}; ${fallback} if left out`;
  return integerParameter({ ...options, fallback })
    .transform((value) => value ?? fallback)
    .meta({ description });
}

const NO_INTEGER = [
  "int_parsing",
  "Input should be a valid integer, unable to parse string as an integer",
] as const;

/** A text given at most once; it may be empty. */
export function textParameter(description: string) {
  return z
    .array(z.string())
    .transform((texts, context) => {
      const [text = ""] = texts;
      if (texts.length > 1) return refuse(context, "string_type", "Input should be a valid string");
      return text;
    })
    .meta({
      override: ({ jsonSchema }: { jsonSchema: object }) => replace(jsonSchema, { type: "string" }),
    })
    .optional()
    .meta({ description });
}

/** Values of a closed set; the parameter may be repeated, and a fault carries the index. */
export function enumListParameter<const Values extends readonly [string, ...string[]]>(
  values: Values,
  description: string,
) {
  return z
    .array(z.enum(values))
    .optional()
    .meta({ description, param: { style: "form", explode: true } });
}

/** Values of a closed set, separated by commas; a fault carries the index among all of them. */
export function commaListParameter<const Values extends readonly [string, ...string[]]>(
  values: Values,
  description: string,
) {
  return z.array(z.enum(values)).optional().meta({ description, param: COMMA_SEPARATED });
}

function refuse(context: z.RefinementCtx, type: string, message: string): never {
  context.addIssue({ code: "custom", message, params: { type } });
  return z.NEVER;
}

/** Documents what callers write, not the list that the schema gets. */
function replace(target: object, schema: object): void {
  for (const key of Object.keys(target)) Reflect.deleteProperty(target, key);
  Object.assign(target, schema);
}
