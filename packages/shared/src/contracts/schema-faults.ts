import type { ErrorObject } from "ajv";
import { Ajv2020, type Options } from "ajv/dist/2020.js";
import type { Fault, FaultPlace } from "./faults.ts";
import { toChoices, TYPE_FAULTS, valueFault } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";
import { isLimitKeyword, toLimitWords } from "./limit-fault.ts";

// JSON Schema, draft 2020-12: how values are checked against it, and how their faults are worded.

/** Sees own properties only, reports all faults, and takes `format` as an annotation, as the draft does. */
export function createAjv(options: Pick<Options, "validateSchema">): Ajv2020 {
  return new Ajv2020({
    addUsedSchema: false,
    allErrors: true,
    logger: false,
    ownProperties: true,
    strict: false,
    validateFormats: false,
    verbose: true,
    ...options,
  });
}

/** Every fault of a value, each `loc` starting inside it. */
export type CheckValue = (value: unknown) => Fault[];

let strictAjv: Ajv2020 | undefined;

/** @throws Error that says where the schema itself is not valid: `schema/properties/x/type must be ...` */
export function compileSchema(schema: JsonObject): CheckValue {
  // Shared: making one costs a hundred times as much as compiling a schema.
  strictAjv ??= createAjv({ validateSchema: true });
  const validate = strictAjv.compile(schema);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) =>
      toSchemaFault(error, locate(error.instancePath, value as Json).loc),
    );
  };
}

export interface Located {
  loc: FaultPlace;
  value: Json | undefined;
}

/** Follows a JSON Pointer; list indexes become numbers. */
export function locate(pointer: string, input: Json): Located {
  let value: Json | undefined = input;
  const loc: FaultPlace = [];
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

/** An error of Ajv, which has to be verbose, worded like every other fault. */
export function toSchemaFault(
  { keyword, params, parentSchema, data, message = "is not valid" }: ErrorObject,
  loc: FaultPlace,
): Fault {
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
      const words = TYPE_FAULTS.get(String(params["type"]));
      return words === undefined ? bad : toFault(loc, words);
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
      return valueFault(
        loc,
        `none of the forms that the action accepts here${namesOf(parentSchema?.[keyword])}`,
      );
    case "pattern":
      // The pattern of a format would help nobody.
      return typeof parentSchema?.["format"] === "string"
        ? valueFault(loc, `must match format "${parentSchema["format"]}"`)
        : bad;
    default:
      if (!isLimitKeyword(keyword)) return bad;
      return toFault(loc, toLimitWords(keyword, Number(params["limit"]), data));
  }
}

function toFault(loc: FaultPlace, [type, msg]: readonly [type: string, msg: string]): Fault {
  return { loc, msg, type };
}

/** What each of the forms requires, if that tells them apart: `, which need 'duration' or 'until'`. */
function namesOf(forms: unknown): string {
  const needed = (Array.isArray(forms) ? (forms as Json[]) : []).map((form) => {
    const required = isJsonObject(form) ? form["required"] : undefined;
    return Array.isArray(required) ? required.map(String).join(" and ") : "";
  });
  return needed.length === 0 || needed.includes("") ? "" : `, which need ${toChoices(needed)}`;
}
