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
/** Those of them whose members are forms to choose from. */
const CHOOSING = ["anyOf", "oneOf"];

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
  const all = errors.map((error) => ({ error, place: locate(error.instancePath, input) }));
  return explain(
    all.filter(({ error, place }) => isCertain(error, place.value)),
    schema,
  );
}

interface LocatedError {
  error: ErrorObject;
  place: Located;
}

/** What members of an anyOf and the like say counts only through the keyword that combines them. */
function explain(located: readonly LocatedError[], schema: JsonObject): Fault[] {
  const combined = located
    .filter(({ error }) => COMBINING.includes(error.keyword))
    .map((combining) => ({ ...combining, members: collectMembers(combining.error, schema) }));
  return located
    .filter((each) => !combined.some(({ place, members }) => isMember(each, place, members)))
    .flatMap((each) => {
      const form = findNearestForm(each, located, schema);
      return form === null ? [toSchemaFault(each.error, each.place.loc)] : explain(form, schema);
    });
}

function isMember({ error, place }: LocatedError, above: Located, members: ReadonlySet<unknown>) {
  return members.has(error.parentSchema) && isAtOrBelow(place.loc, above.loc);
}

/**
 * What the form says that the author most likely meant: one of the value's type, with the fewest faults.
 * Null when there is no such form, or none that is nearer than the others.
 */
function findNearestForm(
  { error: { keyword, parentSchema }, place }: LocatedError,
  located: readonly LocatedError[],
  schema: JsonObject,
): LocatedError[] | null {
  const forms: unknown = CHOOSING.includes(keyword) ? parentSchema?.[keyword] : [];
  const [nearest, next] = (Array.isArray(forms) ? (forms as Json[]) : [])
    .map((form) => {
      const members = collectParts(form, schema);
      return located.filter((each) => isMember(each, place, members));
    })
    .filter((form) => form.length > 0 && !form.some((each) => isOfOtherType(each, place)))
    .toSorted((a, b) => a.length - b.length);
  return nearest === undefined || nearest.length === next?.length ? null : nearest;
}

function isOfOtherType({ error, place }: LocatedError, { loc }: Located): boolean {
  return error.keyword === "type" && place.loc.length === loc.length;
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

/** All schemas that a combining keyword's verdict rests on. */
function collectMembers({ keyword, parentSchema }: ErrorObject, root: JsonObject) {
  const parent: unknown = parentSchema;
  if (!isJsonObject(parent)) return new Set<unknown>();
  const branches = keyword === "if" ? [parent["then"], parent["else"]] : [];
  return collectParts([parent[keyword], ...branches].filter(isPresent), root);
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** A schema, or a list of some, with all that is in it, local `$ref`s followed. */
function collectParts(schema: Json, root: JsonObject): ReadonlySet<unknown> {
  const parts = new Set<unknown>();
  const visit = (part: Json | undefined): void => {
    if (typeof part !== "object" || part === null || parts.has(part)) return;
    parts.add(part);
    for (const inner of Object.values(part)) visit(inner);
    if (!isJsonObject(part)) return;
    const ref = part["$ref"];
    if (typeof ref === "string" && ref.startsWith("#/")) visit(locate(ref.slice(1), root).value);
  };
  visit(schema);
  return parts;
}
