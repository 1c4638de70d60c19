import type { ErrorObject } from "ajv";
import type { ValidateFunction } from "ajv/dist/2020.js";
import { parseTemplate } from "../engine/references.ts";
import type { Fault } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";
import { createAjv, type Located, locate, type Place, toSchemaFault } from "./schema-faults.ts";

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
  // What the catalogue holds was checked by the worker that published it.
  const ajv = createAjv({ validateSchema: false });
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
    .map(({ error, place }) => toSchemaFault(error, place.loc));
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
