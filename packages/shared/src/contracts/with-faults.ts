import type { ErrorObject } from "ajv";
import { parseTemplate } from "../engine/references.ts";
import type { Fault } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";
import { type Located, locate, toSchemaFault } from "./schema-faults.ts";

/** Keywords about a value's own shape: whatever its parts turn out to be, the verdict stays the same. */
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

/** Keywords whose members are forms to choose from. */
const CHOOSING: readonly string[] = ["anyOf", "oneOf"];
/** Keywords whose verdict combines those of other schemas. */
const COMBINING: readonly string[] = [...CHOOSING, "not", "if"];

interface LocatedError extends Located {
  error: ErrorObject;
}

/**
 * The faults of a `with` that hold whatever its references lead to, in Ajv's order.
 *
 * @param errors everything that Ajv reports about `input`, with `verbose`
 */
export function toWithFaults(
  errors: readonly ErrorObject[],
  input: JsonObject,
  schema: JsonObject,
): Fault[] {
  const located = errors.map((error) => ({ error, ...locate(error.instancePath, input) }));
  return new WithErrors(located, schema).explain(located);
}

/** Looks errors up by their places: there may be tens of thousands of them. */
class WithErrors {
  readonly #root: JsonObject;
  /** Errors at and below a place where there are forms to choose from. */
  readonly #below = new Map<string, LocatedError[]>();
  readonly #parts = new Map<unknown, ReadonlySet<unknown>>();
  readonly #certain = new Map<LocatedError, boolean>();

  constructor(located: readonly LocatedError[], root: JsonObject) {
    this.#root = root;
    for (const { error } of located) {
      if (CHOOSING.includes(error.keyword)) this.#below.set(error.instancePath, []);
    }
    for (const each of located) {
      for (const path of atAndAbove(each)) this.#below.get(path)?.push(each);
    }
  }

  explain(located: readonly LocatedError[]): Fault[] {
    return this.#outermost(located)
      .filter((each) => this.#isCertain(each))
      .flatMap((each) => {
        const form = this.#findNearestForm(each);
        return form === null ? [toSchemaFault(each.error, each.loc)] : this.explain(form);
      });
  }

  /** Errors of the members of an anyOf and the like count only through the keyword that combines them. */
  #outermost(located: readonly LocatedError[]): LocatedError[] {
    const combining = new Map<string, LocatedError[]>();
    for (const each of located) {
      const { keyword, instancePath } = each.error;
      if (!COMBINING.includes(keyword)) continue;
      combining.set(instancePath, [...(combining.get(instancePath) ?? []), each]);
    }
    const isMember = ({ error }: LocatedError, of: LocatedError): boolean =>
      of.error !== error && this.#membersOf(of.error).has(error.parentSchema);
    return located.filter(
      (each) =>
        !atAndAbove(each).some((path) => combining.get(path)?.some((of) => isMember(each, of))),
    );
  }

  /**
   * The errors of the form that the author most likely meant: of the value's type, with the fewest faults.
   * Null when there is no such form, or no single nearest one.
   */
  #findNearestForm(located: LocatedError): LocatedError[] | null {
    const isOfOtherType = ({ error, loc }: LocatedError): boolean =>
      error.keyword === "type" && loc.length === located.loc.length;
    const [nearest, next] = this.#toForms(located)
      .filter((form) => form.length > 0 && !form.some(isOfOtherType))
      .map((form) => ({ form, weight: this.#standing(form).length }))
      .toSorted((a, b) => a.weight - b.weight);
    return nearest === undefined || nearest.weight === next?.weight ? null : nearest.form;
  }

  /** For each of the forms to choose from, the errors of that form alone; empty for any other keyword. */
  #toForms({ error: { keyword, parentSchema, instancePath } }: LocatedError): LocatedError[][] {
    const forms: unknown = CHOOSING.includes(keyword) ? parentSchema?.[keyword] : [];
    const parts = (Array.isArray(forms) ? (forms as Json[]) : []).map((form) =>
      this.#partsOf(form),
    );
    const below = this.#below.get(instancePath) ?? [];
    return parts.map((own) =>
      below.filter(({ error }) => {
        const owners = parts.filter((each) => each.has(error.parentSchema));
        return owners.length === 1 && owners[0] === own;
      }),
    );
  }

  #standing(form: readonly LocatedError[]): LocatedError[] {
    return this.#outermost(form).filter((each) => this.#isCertain(each));
  }

  /** Whether the error holds whatever the references in its value lead to. */
  #isCertain(located: LocatedError): boolean {
    const known = this.#certain.get(located);
    if (known !== undefined) return known;
    const isCertain = isCertainByItself(located) || this.#isNoForm(located);
    this.#certain.set(located, isCertain);
    return isCertain;
  }

  /** Whether each of the forms has an error that holds. That two of them fit is another matter. */
  #isNoForm(located: LocatedError): boolean {
    if (located.error.params["passingSchemas"] != null) return false;
    const forms = this.#toForms(located);
    return forms.length > 0 && forms.every((form) => this.#standing(form).length > 0);
  }

  /** All schemas that a combining keyword's verdict rests on. */
  #membersOf({ keyword, parentSchema }: ErrorObject): ReadonlySet<unknown> {
    const parent: unknown = parentSchema;
    if (!isJsonObject(parent)) return new Set();
    const branches = keyword === "if" ? [parent["then"], parent["else"]] : [];
    const parts = [parent[keyword], ...branches].map((branch) => this.#partsOf(branch));
    const [only] = parts;
    return parts.length === 1 && only !== undefined
      ? only
      : new Set(parts.flatMap((each) => [...each]));
  }

  /** A schema or a list of schemas, with everything in it; follows local `$ref`s. */
  #partsOf(schema: Json | undefined): ReadonlySet<unknown> {
    const known = this.#parts.get(schema);
    if (known !== undefined) return known;
    const parts = new Set<unknown>();
    const visit = (part: Json | undefined): void => {
      if (typeof part !== "object" || part === null || parts.has(part)) return;
      parts.add(part);
      for (const inner of Object.values(part)) visit(inner);
      if (!isJsonObject(part)) return;
      const ref = part["$ref"];
      if (typeof ref === "string" && ref.startsWith("#/")) {
        visit(locate(ref.slice(1), this.#root).value);
      }
    };
    visit(schema);
    this.#parts.set(schema, parts);
    return parts;
  }
}

/** The places, as JSON Pointers, of an error and of everything that contains its value. */
function atAndAbove({ error: { instancePath } }: LocatedError): string[] {
  const names = instancePath.split("/");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function isCertainByItself({ error: { keyword }, value }: LocatedError): boolean {
  if (typeof value !== "object" || value === null) {
    const certainty = certaintyOf(value);
    return certainty === "known" || (certainty === "text" && keyword === "type");
  }
  return OWN_SHAPE.has(keyword) || !holdsReference(value);
}

type Certainty = "known" | "text" | "unknown";

/** A lone reference can become anything; one inside a longer text leaves it a text. */
function certaintyOf(value: Json | undefined): Certainty {
  if (typeof value !== "string" || !value.includes("${{")) return "known";
  try {
    const template = parseTemplate(value);
    return template.length === 1 && typeof template[0] === "object" ? "unknown" : "text";
  } catch {
    // Reported as a bad reference; nothing can be said about its value.
    return "unknown";
  }
}

function holdsReference(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsReference);
  if (isJsonObject(value)) return Object.values(value).some(holdsReference);
  return certaintyOf(value) !== "known";
}
