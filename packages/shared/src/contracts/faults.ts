import type { z } from "zod";
import { toFaultList } from "./fault-list.ts";
import { toLimitWords } from "./limit-fault.ts";

/** One fault of a request, as FastAPI reports it; `type` and `msg` are Pydantic v2's where one fits. */
export interface Fault {
  loc: FaultPlace;
  msg: string;
  type: string;
}

/** Where a fault is, from the outside in: member names and list indexes, as in `["body", "components", 1]`. */
export type FaultPlace = (string | number)[];

type Issue = z.core.$ZodIssue;

/** Pydantic's words for a value of the wrong type, by the type that zod or a JSON Schema expected. */
export const TYPE_FAULTS: ReadonlyMap<string, readonly [type: string, msg: string]> = new Map([
  ["string", ["string_type", "Input should be a valid string"]],
  ["object", ["dict_type", "Input should be a valid dictionary"]],
  ["record", ["dict_type", "Input should be a valid dictionary"]],
  ["array", ["list_type", "Input should be a valid list"]],
  ["int", ["int_type", "Input should be a valid integer"]],
  ["integer", ["int_type", "Input should be a valid integer"]],
  ["number", ["float_type", "Input should be a valid number"]],
  ["boolean", ["bool_type", "Input should be a valid boolean"]],
  ["null", ["none_required", "Input should be None"]],
]);

/** A fault of a kind that Pydantic has no name for. */
export function valueFault(loc: FaultPlace, message: string): Fault {
  return { loc, msg: `Value error, ${message}`, type: "value_error" };
}

/** Joins words as Pydantic does: `'a', 'b' or 'c'`. */
export function toChoices(values: readonly unknown[]): string {
  const words = values.map((value) => (typeof value === "string" ? `'${value}'` : String(value)));
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}

/**
 * All faults that zod found in `input`, as FastAPI would report them, each place at most once per kind.
 *
 * A schema's own checks are `value_error`s, unless the issue's `params.type` names another type; then its
 * message is used as it is.
 *
 * @param loc where `input` is in the request, e.g. `["body"]`.
 */
export function toFaults(error: z.core.$ZodError, loc: FaultPlace, input: unknown): Fault[] {
  const faults = toFaultList(
    error.issues.flatMap((issue) => toIssueFaults(issue, input)),
  ).toFaults();
  const seen = new Set<string>();
  const first = faults.filter((fault) => {
    // Of several constraints on one value Pydantic reports the first that does not hold.
    const place = JSON.stringify(fault.loc) + (fault.type === "value_error" ? fault.msg : "");
    return !seen.has(place) && seen.add(place);
  });
  return first.map((fault) => ({ ...fault, loc: [...loc, ...fault.loc] }));
}

/**
 * Parses `input`, or lists all its faults with `loc` before their places. Unlike {@link toFaults} alone, it
 * can tell whether an integer or a number was expected: zod's issues no longer say so.
 */
export function parseOrFaults<Output>(
  schema: z.ZodType<Output>,
  input: unknown,
  loc: FaultPlace,
): { value: Output } | { faults: Fault[] } {
  const parsed = schema.safeParse(input, { error: nameIntegers });
  return parsed.success ? { value: parsed.data } : { faults: toFaults(parsed.error, loc, input) };
}

const INTEGER_EXPECTED = "Input should be a valid integer";

function nameIntegers(issue: z.core.$ZodRawIssue): string | undefined {
  const definition = issue.inst?._zod.def;
  const isInteger =
    definition !== undefined && "format" in definition && issue.expected === "number";
  return isInteger ? INTEGER_EXPECTED : undefined;
}

function toIssueFaults(issue: Issue, input: unknown): Fault[] {
  const loc = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      loc: [...loc, key],
      msg: "Extra inputs are not permitted",
      type: "extra_forbidden",
    }));
  }
  const value = valueAt(input, loc);
  if (issue.code === "invalid_union") return toUnionFaults(issue, loc, value);
  if (issue.code === "custom") return [toCustomFault(issue, loc, value)];
  if (value === undefined) return [{ loc, msg: "Field required", type: "missing" }];
  const [type, msg] = toTypeAndMessage(issue, value);
  return [{ loc, msg, type }];
}

function valueAt(input: unknown, loc: FaultPlace): unknown {
  let value = input;
  for (const part of loc) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

function toCustomFault(issue: Issue & { code: "custom" }, loc: FaultPlace, value: unknown): Fault {
  const type: unknown = issue.params?.["type"];
  if (value === undefined && type !== undefined) {
    return { loc, msg: "Field required", type: "missing" };
  }
  if (typeof type === "string") return { loc, msg: issue.message, type };
  return valueFault(loc, issue.message);
}

/**
 * Faults of the member that the value was most likely meant to be: of the right type and with the fewest
 * unknown keys. In a tie the first member wins.
 */
function toUnionFaults(
  issue: Issue & { code: "invalid_union" },
  loc: FaultPlace,
  value: unknown,
): Fault[] {
  const [likeliest] = issue.errors
    .map((issues, index) => ({ issues, index, distance: distanceOf(issues) }))
    .toSorted((a, b) => a.distance - b.distance || a.index - b.index);
  if (likeliest === undefined || likeliest.issues.length === 0) {
    return toDiscriminatorFaults(issue, loc, value);
  }
  const faults = likeliest.issues.flatMap((inner) => toIssueFaults(inner, value));
  return faults.map((fault) => ({ ...fault, loc: [...loc, ...fault.loc] }));
}

function distanceOf(issues: readonly Issue[]): number {
  let distance = 0;
  for (const issue of issues) {
    if (issue.path.length > 0) continue;
    if (issue.code === "unrecognized_keys") distance += issue.keys.length;
    else if (issue.code === "invalid_type") distance += 1e6;
  }
  return distance;
}

function toDiscriminatorFaults(
  issue: Issue & { code: "invalid_union" },
  loc: FaultPlace,
  value: unknown,
): Fault[] {
  if (value === undefined) return [{ loc, msg: "Field required", type: "missing" }];
  if (!("options" in issue) || !Array.isArray(issue.options)) {
    return [valueFault(loc, issue.message)];
  }
  const msg = `Input should be ${toChoices(issue.options)}`;
  return [{ loc, msg, type: "literal_error" }];
}

function toTypeAndMessage(
  issue: Exclude<Issue, { code: "unrecognized_keys" | "invalid_union" | "custom" }>,
  value: unknown,
): readonly [type: string, msg: string] {
  switch (issue.code) {
    case "invalid_type":
      return toTypeFault(issue.message === INTEGER_EXPECTED ? "int" : issue.expected, value);
    case "invalid_value": {
      const single = issue.values.length === 1;
      return [single ? "literal_error" : "enum", `Input should be ${toChoices(issue.values)}`];
    }
    case "too_small":
      return toTooSmall(issue, value);
    case "too_big":
      return toTooBig(issue, value);
    case "invalid_format":
      return "pattern" in issue && typeof issue.pattern === "string"
        ? [
            "string_pattern_mismatch",
            `String should match pattern '${stripSlashes(issue.pattern)}'`,
          ]
        : ["value_error", `Value error, ${issue.message}`];
    case "not_multiple_of":
      return ["multiple_of", `Input should be a multiple of ${String(issue.divisor)}`];
    case "invalid_key":
    case "invalid_element":
      return ["value_error", `Value error, ${issue.message}`];
  }
}

function toTypeFault(expected: string, value: unknown): readonly [type: string, msg: string] {
  if (expected === "int" && typeof value === "number") {
    const msg = "Input should be a valid integer, got a number with a fractional part";
    return ["int_from_float", msg];
  }
  return TYPE_FAULTS.get(expected) ?? ["value_error", `Value error, expected ${expected}`];
}

function toTooSmall(issue: Issue & { code: "too_small" }, value: unknown) {
  const isExclusive = issue.inclusive === false;
  const ofNumber = isExclusive ? "exclusiveMinimum" : "minimum";
  const keyword = { text: "minLength", list: "minItems", number: ofNumber } as const;
  return toLimitWords(keyword[kindOf(issue.origin)], Number(issue.minimum), value);
}

function toTooBig(issue: Issue & { code: "too_big" }, value: unknown) {
  const isExclusive = issue.inclusive === false;
  const ofNumber = isExclusive ? "exclusiveMaximum" : "maximum";
  const keyword = { text: "maxLength", list: "maxItems", number: ofNumber } as const;
  return toLimitWords(keyword[kindOf(issue.origin)], Number(issue.maximum), value);
}

function kindOf(origin: string): "text" | "list" | "number" {
  if (origin === "string") return "text";
  return origin === "array" || origin === "set" ? "list" : "number";
}

function stripSlashes(pattern: string): string {
  return pattern.replace(/^\/(.*)\/[a-z]*$/s, "$1");
}
