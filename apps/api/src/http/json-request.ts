import { mergeFaults } from "@truerun/shared/contracts/fault-list";
import { type Fault, parseOrFaults } from "@truerun/shared/contracts/faults";
import type { Json } from "@truerun/shared/contracts/json";
import type { z } from "zod";
import { invalidRequest } from "./errors.ts";
import { type Body, parseJsonBody } from "./parse-json-body.ts";

const MISSING: Fault = { loc: ["body"], msg: "Field required", type: "missing" };

/** Reads a required body: its value and what is wrong with it as JSON; no value when it has none. */
export function readJson(body: Body): { value?: Json; faults: Fault[] } {
  const parsed = parseJsonBody(body, { all: true });
  if (!("value" in parsed)) return parsed;
  const { value, faults } = parsed;
  return value === undefined ? { faults: [MISSING] } : { value, faults };
}

/** Parses a body by its schema. @throws 422 with all its faults */
export function parseJsonRequest<Output>(body: Body, schema: z.ZodType<Output>): Output {
  const { value, faults } = readJson(body);
  if (value === undefined) throw invalidRequest(faults);
  const parsed = parseOrFaults(schema, value, ["body"]);
  const all = mergeFaults(faults, "faults" in parsed ? parsed.faults : []);
  if ("faults" in parsed || all.length > 0) throw invalidRequest(all);
  return parsed.value;
}
