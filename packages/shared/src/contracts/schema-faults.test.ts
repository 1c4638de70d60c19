import { expect, test } from "vitest";
import { z } from "zod";
import { parseOrFaults } from "./faults.ts";
import type { Json, JsonObject } from "./json.ts";
import { compileSchema } from "./schema-faults.ts";

const SCHEMA: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    score: { type: "integer", minimum: 0, maximum: 100 },
    level: { enum: ["low", "high"] },
    "a/b": { type: "array", items: { type: "string", format: "email" } },
  },
  required: ["score"],
  additionalProperties: false,
};

test.each<[Json, string[]]>([
  [{ score: 5, level: "low", "a/b": ["no address: a format is a remark"] }, []],
  [{ score: 101 }, ["score less_than_equal"]],
  [{ score: "${{ input.score }}" }, ["score int_type"]],
  [
    { level: "odd", "a/b": ["x", 1], z: 1 },
    ["score missing", "z extra_forbidden", "level enum", "a/b.1 string_type"],
  ],
  [null, [" dict_type"]],
])("%j", (value, faults) => {
  const check = compileSchema(SCHEMA);
  const found = check(value).map(({ loc, type }) => `${loc.join(".")} ${type}`);
  expect(found.toSorted()).toEqual(faults.toSorted());
});

test.each<[JsonObject, RegExp]>([
  [{ properties: { a: { type: "strin" } } }, /properties\/a\/type/],
  [{ $ref: "#/$defs/nowhere" }, /nowhere/],
  [{ $ref: "https://example.com/other.json" }, /other\.json/],
  [{ $schema: "http://json-schema.org/draft-07/schema#" }, /draft-07/],
  [{ pattern: "(" }, /regular expression|pattern/i],
])("%j is no schema", (schema, reason) => {
  expect(() => compileSchema(schema)).toThrow(reason);
});

test.each<[string, z.ZodType, unknown]>([
  ["String should have at least 1 character", z.string().min(1), ""],
  ["String should have at least 2 characters", z.string().min(2), "a"],
  ["String should have at most 1 character", z.string().max(1), "ab"],
  ["List should have at least 1 item after validation, not 0", z.array(z.string()).min(1), []],
  ["List should have at most 1 item after validation, not 2", z.array(z.int()).max(1), [1, 2]],
  ["Input should be greater than or equal to 1", z.number().min(1), 0],
  ["Input should be less than or equal to 1", z.number().max(1), 2],
  ["Input should be greater than 1", z.number().gt(1), 1],
  ["Input should be less than 1", z.number().lt(1), 1],
])("%s, whether zod or a JSON Schema finds that", (msg, schema, value) => {
  const check = compileSchema(z.toJSONSchema(schema) as JsonObject);
  const found = check(value);
  expect(found.map((fault) => fault.msg)).toEqual([msg]);
  expect(parseOrFaults(schema, value, [])).toEqual({ faults: found });
});
