import { type Fault, parseOrFaults } from "@truerun/shared/contracts/faults";
import { isJsonObject, type JsonObject } from "@truerun/shared/contracts/json";
import { z } from "zod";
import { mergeFaults } from "@truerun/shared/contracts/fault-list";
import { type Body, parseJsonBody } from "../http/parse-json-body.ts";

const inputSchema = z
  .custom<JsonObject>(isJsonObject, {
    error: "Input should be a valid dictionary",
    params: { type: "dict_type" },
  })
  .meta({
    description: "What the workflow gets. Stored and echoed as the text that was sent.",
    override: { type: "object", additionalProperties: true },
  });

/** The body of a run request: absent, `null`, or an object whose other members are ignored. */
const runBodySchema = z
  .custom<Record<string, unknown> | null>((value) => value === null || isJsonObject(value), {
    error: "Input should be a valid dictionary or object to extract fields from",
    params: { type: "model_attributes_type" },
  })
  .pipe(z.looseObject({ input: inputSchema.optional() }).nullable());

/** The object form of {@link runBodySchema}, for the documentation. */
export const runBodyDocumentation = z.looseObject({ input: inputSchema.optional() }).nullable();

export interface RunInput {
  value: JsonObject;
  /** The raw text of `input` as it was sent. */
  text: string;
}

/** Reads the body of a run request, or lists all its faults. */
export function parseRunBody(body: Body): RunInput | { faults: Fault[] } {
  const json = parseJsonBody(body, { member: "input" });
  if (!("value" in json)) return json;
  const { value = null, memberText, faults } = json;
  const parsed = parseOrFaults(runBodySchema, value, ["body"]);
  const all = mergeFaults(faults, "faults" in parsed ? parsed.faults : []);
  if ("faults" in parsed || all.length > 0) return { faults: all };
  // Own properties only: `JSON.parse` makes every member one, whatever its name.
  const input = parsed.value !== null && memberText !== null ? parsed.value.input : undefined;
  return input === undefined || memberText === null
    ? { value: {}, text: "{}" }
    : { value: input, text: memberText };
}
