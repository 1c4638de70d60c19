import { expect, test } from "vitest";
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
