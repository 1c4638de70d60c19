import { type Fault, parseOrFaults } from "@truerun/shared/contracts/faults";
import type { Json } from "@truerun/shared/contracts/json";
import { invalidRequest } from "@truerun/shared/errors";
import type { z } from "zod";
import type { EndpointRequest } from "./define-endpoint.ts";
import { parseJsonBody } from "./parse-json-body.ts";

const MISSING: Fault = { loc: ["body"], msg: "Field required", type: "missing" };

type Sent = Pick<EndpointRequest, "body" | "bodyFault">;

/** Reads a required body: its value and what is wrong with it as JSON; no value when it has none. */
export function readJson(request: Sent): { value?: Json; faults: Fault[] } {
  if (request.bodyFault !== null) return { faults: [request.bodyFault] };
  const body = parseJsonBody(request.body, { all: true });
  if (!("value" in body)) return body;
  const { value, faults } = body;
  return value === undefined ? { faults: [MISSING] } : { value, faults };
}

/** Parses a body by its schema. @throws 422 with all its faults */
export function parseJsonRequest<Output>(request: Sent, schema: z.ZodType<Output>): Output {
  const { value, faults } = readJson(request);
  if (value === undefined) throw invalidRequest(faults);
  const parsed = parseOrFaults(schema, value, ["body"]);
  const all = mergeFaults(faults, "faults" in parsed ? parsed.faults : []);
  if ("faults" in parsed || all.length > 0) throw invalidRequest(all);
  return parsed.value;
}

/** Joins both lists, leaving out faults of the second at places that the first already names. */
export function mergeFaults(first: readonly Fault[], second: readonly Fault[]): Fault[] {
  const named = new Set(first.map(({ loc }) => JSON.stringify(loc)));
  return [...first, ...second.filter(({ loc }) => !named.has(JSON.stringify(loc)))];
}
