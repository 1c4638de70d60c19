import { type Fault, parseOrFaults } from "@truerun/shared/contracts/faults";
import type { Json } from "@truerun/shared/contracts/json";
import { invalidRequest } from "@truerun/shared/errors";
import type { z } from "zod";
import { parseJsonBody } from "./parse-json-body.ts";

const MISSING: Fault = { loc: ["body"], msg: "Field required", type: "missing" };

/** The value of a body that has to be there, or its faults. */
export function readJson(bytes: Uint8Array): { value: Json } | { faults: Fault[] } {
  const body = parseJsonBody(bytes, { all: true });
  if ("faults" in body) return body;
  return body.value === undefined ? { faults: [MISSING] } : { value: body.value };
}

/** A body that a schema describes. @throws 422 with all its faults */
export function parseJsonRequest<Output>(bytes: Uint8Array, schema: z.ZodType<Output>): Output {
  const body = readJson(bytes);
  const parsed = "faults" in body ? body : parseOrFaults(schema, body.value, ["body"]);
  if ("faults" in parsed) throw invalidRequest(parsed.faults);
  return parsed.value;
}
