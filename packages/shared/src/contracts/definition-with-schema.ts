import type { ValidateFunction } from "ajv/dist/2020.js";
import type { Fault } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";
import { createAjv } from "./schema-faults.ts";
import { toWithFaults } from "./with-faults.ts";

/** Checks the `with` of components against their action's input schema, as far as references allow. */
export type CheckWith = (action: string, input: JsonObject) => Fault[];

/**
 * @param schemas each action's input schema: JSON Schema, draft 2020-12
 * @throws Ajv's Error when a published schema is not valid; raised at the first use of the action
 */
export function createWithCheck(schemas: ReadonlyMap<string, Json>): CheckWith {
  // The worker that published a schema has checked it already.
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
