import type { ErrorObject } from "ajv";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parseTemplate } from "../engine/references.ts";
import type { Fault } from "./faults.ts";
import { toChoices, valueFault } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

type Place = (string | number)[];

/** Keywords about a value's own shape: what its parts turn out to be does not change the verdict. */
const OWN_SHAPE: ReadonlySet<string> = new Set([
  "additionalProperties",
  "maxItems",
  "maxProperties",
  "minItems",
  "minProperties",
  "propertyNames",
  "required",
  "type",
]);

/** Keywords whose verdict combines those of other schemas. */
const COMBINING = ["anyOf", "oneOf", "not", "if"];

/** Checks the `with` of components against their action's input schema, as far as references allow. */
export type CheckWith = (action: string, input: JsonObject) => Fault[];

/**
 * @param schemas each action's input schema: JSON Schema, draft 2020-12
 * @throws Error of Ajv when a published schema is not one; raised at the first use of the action
 */
export function createWithCheck(schemas: ReadonlyMap<string, Json>): CheckWith {
  const ajv = new Ajv2020({
    addUsedSchema: false,
    allErrors: true,
    logger: false,
    ownProperties: true,
    strict: false,
    validateFormats: false,
    validateSchema: false,
    verbose: true,
  });
  const compiled = new Map<string, ValidateFunction>();
  return (action, input) => {
    const schema = schemas.get(action);
    if (!isJsonObject(schema)) return [];
    const validate = compiled.get(action) ?? ajv.compile(schema);
    compiled.set(action, validate);
    if (validate(input)) return [];
    return toWithFaults(validate.errors ?? [], input, schema);
  };
}

type Certainty = "known" | "text" | "unknown";

function toWithFaults(errors: readonly ErrorObject[], input: JsonObject, schema: JsonObject) {
  const located = errors.map((error) => ({ error, place: locate(error.instancePath, input) }));
  // What members of an anyOf and the like say counts only through the keyword that combines them.
  const combined = located
    .filter(({ error }) => COMBINING.includes(error.keyword))
    .map(({ error, place }) => ({ place, members: collectMembers(error, schema) }));
  const isMember = (error: ErrorObject, { loc }: Located): boolean =>
    combined.some(
      ({ place, members }) => members.has(error.parentSchema) && isAtOrBelow(loc, place.loc),
    );
  return located
    .filter(({ error, place }) => isCertain(error, place.value) && !isMember(error, place))
    .map(({ error, place }) => toFault(error, place));
}

interface Located {
  loc: Place;
  value: Json | undefined;
}

/** Follows a JSON Pointer; list indexes become numbers. */
function locate(pointer: string, input: JsonObject): Located {
  let value: Json | undefined = input;
  const loc: Place = [];
  for (const escaped of pointer.split("/").slice(1)) {
    const name = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) {
      loc.push(Number(name));
      value = value[Number(name)];
    } else {
      loc.push(name);
      value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    }
  }
  return { loc, value };
}

function isAtOrBelow(loc: Place, above: Place): boolean {
  return above.every((part, index) => loc[index] === part);
}

/** Whether the error stands whatever the references in `value` lead to. */
function isCertain({ keyword }: ErrorObject, value: Json | undefined): boolean {
  if (typeof value !== "object" || value === null) {
    const certainty = certaintyOf(value);
    return certainty === "known" || (certainty === "text" && keyword === "type");
  }
  return OWN_SHAPE.has(keyword) || !holdsReference(value);
}

/** A reference alone can become anything; one inside a longer text leaves it a text. */
function certaintyOf(value: Json | undefined): Certainty {
  if (typeof value !== "string" || !value.includes("${{")) return "known";
  try {
    const template = parseTemplate(value);
    return template.length === 1 && typeof template[0] === "object" ? "unknown" : "text";
  } catch {
    // Reported as a bad reference; nothing is to be said about its value.
    return "unknown";
  }
}

function holdsReference(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsReference);
  if (isJsonObject(value)) return Object.values(value).some(holdsReference);
  return certaintyOf(value) !== "known";
}

/** All schemas that a combining keyword's verdict rests on, local `$ref`s followed. */
function collectMembers(error: ErrorObject, root: JsonObject): ReadonlySet<unknown> {
  const members = new Set<unknown>();
  const parent: unknown = error.parentSchema;
  if (!isJsonObject(parent)) return members;
  const visit = (schema: Json | undefined): void => {
    if (typeof schema !== "object" || schema === null || members.has(schema)) return;
    members.add(schema);
    for (const part of Object.values(schema)) visit(part);
    if (!isJsonObject(schema)) return;
    const ref = schema["$ref"];
    if (typeof ref === "string" && ref.startsWith("#/")) visit(locate(ref.slice(1), root).value);
  };
  visit(parent[error.keyword]);
  if (error.keyword === "if") {
    visit(parent["then"]);
    visit(parent["else"]);
  }
  return members;
}

const TYPE_FAULTS: ReadonlyMap<string, readonly [type: string, msg: string]> = new Map([
  ["string", ["string_type", "Input should be a valid string"]],
  ["object", ["dict_type", "Input should be a valid dictionary"]],
  ["array", ["list_type", "Input should be a valid list"]],
  ["integer", ["int_type", "Input should be a valid integer"]],
  ["number", ["float_type", "Input should be a valid number"]],
  ["boolean", ["bool_type", "Input should be a valid boolean"]],
  ["null", ["none_required", "Input should be None"]],
]);

function toFault({ keyword, params, message = "is not valid" }: ErrorObject, { loc }: Located) {
  const bad = valueFault(loc, message);
  switch (keyword) {
    case "required":
      return {
        loc: [...loc, String(params["missingProperty"])],
        msg: "Field required",
        type: "missing",
      };
    case "additionalProperties": {
      const place = [...loc, String(params["additionalProperty"])];
      return { loc: place, msg: "Extra inputs are not permitted", type: "extra_forbidden" };
    }
    case "type": {
      const [type, msg] = TYPE_FAULTS.get(String(params["type"])) ?? [bad.type, bad.msg];
      return { loc, msg, type };
    }
    case "enum": {
      const allowed: unknown = params["allowedValues"];
      const choices = toChoices(Array.isArray(allowed) ? allowed : []);
      return { loc, msg: `Input should be ${choices}`, type: "enum" };
    }
    case "const":
      return {
        loc,
        msg: `Input should be ${toChoices([params["allowedValue"]])}`,
        type: "literal_error",
      };
    case "anyOf":
    case "oneOf":
      return valueFault(loc, "none of the forms that the action accepts here");
    default:
      return toLimitFault(keyword, Number(params["limit"]), bad);
  }
}

const LIMIT_FAULTS: ReadonlyMap<string, (limit: number) => readonly [type: string, msg: string]> =
  new Map([
    [
      "minimum",
      (limit) => ["greater_than_equal", `Input should be greater than or equal to ${limit}`],
    ],
    ["maximum", (limit) => ["less_than_equal", `Input should be less than or equal to ${limit}`]],
    ["exclusiveMinimum", (limit) => ["greater_than", `Input should be greater than ${limit}`]],
    ["exclusiveMaximum", (limit) => ["less_than", `Input should be less than ${limit}`]],
    [
      "minLength",
      (limit) => ["string_too_short", `String should have at least ${limit} characters`],
    ],
    ["maxLength", (limit) => ["string_too_long", `String should have at most ${limit} characters`]],
    ["minItems", (limit) => ["too_short", `List should have at least ${limit} items`]],
    ["maxItems", (limit) => ["too_long", `List should have at most ${limit} items`]],
  ]);

function toLimitFault(keyword: string, limit: number, bad: Fault): Fault {
  const known = LIMIT_FAULTS.get(keyword)?.(limit);
  if (known === undefined) return bad;
  return { loc: bad.loc, msg: known[1], type: known[0] };
}
