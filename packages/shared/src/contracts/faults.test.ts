import { expect, test } from "vitest";
import { z } from "zod";
import { parseOrFaults, toFaults } from "./faults.ts";

function faultsOf(schema: z.ZodType, input: unknown): unknown[] {
  const parsed = parseOrFaults(schema, input, ["body"]);
  return "faults" in parsed ? parsed.faults : [];
}

const at = (schema: z.ZodType, value: unknown): unknown[] =>
  faultsOf(z.object({ field: schema }), value === undefined ? {} : { field: value });

test.each<[string, z.ZodType, unknown, string, string]>([
  ["absent", z.string(), undefined, "missing", "Field required"],
  ["absent enum", z.enum(["a"]), undefined, "missing", "Field required"],
  ["absent union", z.union([z.string(), z.number()]), undefined, "missing", "Field required"],
  ["string", z.string(), 3, "string_type", "Input should be a valid string"],
  ["null for a string", z.string(), null, "string_type", "Input should be a valid string"],
  [
    "record",
    z.record(z.string(), z.unknown()),
    [],
    "dict_type",
    "Input should be a valid dictionary",
  ],
  ["object", z.object({}), "x", "dict_type", "Input should be a valid dictionary"],
  ["list", z.array(z.string()), {}, "list_type", "Input should be a valid list"],
  ["boolean", z.boolean(), "yes", "bool_type", "Input should be a valid boolean"],
  ["integer", z.int(), "1", "int_type", "Input should be a valid integer"],
  ["number", z.number(), "1", "float_type", "Input should be a valid number"],
  [
    "integer with a fraction",
    z.int(),
    1.5,
    "int_from_float",
    "Input should be a valid integer, got a number with a fractional part",
  ],
  ["enum of three", z.enum(["a", "b", "c"]), "x", "enum", "Input should be 'a', 'b' or 'c'"],
  ["enum of two", z.enum(["a", "b"]), 1, "enum", "Input should be 'a' or 'b'"],
  ["literal", z.literal("a"), "x", "literal_error", "Input should be 'a'"],
  [
    "at least",
    z.number().min(1),
    0,
    "greater_than_equal",
    "Input should be greater than or equal to 1",
  ],
  ["at most", z.number().max(5), 6, "less_than_equal", "Input should be less than or equal to 5"],
  ["above", z.number().gt(1), 1, "greater_than", "Input should be greater than 1"],
  ["below", z.number().lt(5), 5, "less_than", "Input should be less than 5"],
  ["multiple", z.number().multipleOf(3), 5, "multiple_of", "Input should be a multiple of 3"],
  ["short", z.string().min(1), "", "string_too_short", "String should have at least 1 character"],
  ["long", z.string().max(2), "abc", "string_too_long", "String should have at most 2 characters"],
  [
    "pattern",
    z.string().regex(/^a\/b$/),
    "x",
    "string_pattern_mismatch",
    "String should match pattern '^a\\/b$'",
  ],
  [
    "few",
    z.array(z.int()).min(2),
    [1],
    "too_short",
    "List should have at least 2 items after validation, not 1",
  ],
  [
    "many",
    z.array(z.int()).max(1),
    [1, 2],
    "too_long",
    "List should have at most 1 item after validation, not 2",
  ],
  [
    "own check",
    z.string().refine(() => false, "no good"),
    "x",
    "value_error",
    "Value error, no good",
  ],
  [
    "own check with a type",
    z.string().refine(() => false, {
      error: "Input should be a valid integer",
      params: { type: "int_parsing" },
    }),
    "x",
    "int_parsing",
    "Input should be a valid integer",
  ],
])("%s", (_name, schema, value, type, msg) => {
  expect(at(schema, value)).toEqual([{ loc: ["body", "field"], msg, type }]);
});

test("lists all faults, each unknown key on its own, with list indexes in loc", () => {
  const schema = z.strictObject({ a: z.array(z.strictObject({ b: z.string() })), c: z.int() });
  expect(faultsOf(schema, { a: [{ b: "x" }, { b: 1, x: 1, y: 2 }], z: 1 })).toEqual([
    { loc: ["body", "a", 1, "b"], msg: "Input should be a valid string", type: "string_type" },
    { loc: ["body", "a", 1, "x"], msg: "Extra inputs are not permitted", type: "extra_forbidden" },
    { loc: ["body", "a", 1, "y"], msg: "Extra inputs are not permitted", type: "extra_forbidden" },
    { loc: ["body", "c"], msg: "Field required", type: "missing" },
    { loc: ["body", "z"], msg: "Extra inputs are not permitted", type: "extra_forbidden" },
  ]);
});

test("reports of several constraints on one value the first that fails", () => {
  expect(at(z.string().min(2).regex(/^a/), "")).toMatchObject([{ type: "string_too_short" }]);
});

test("keeps several own checks of one place", () => {
  const schema = z
    .string()
    .refine(() => false, "one")
    .refine(() => false, "two");
  expect(at(schema, "x")).toMatchObject([{ msg: "Value error, one" }, { msg: "Value error, two" }]);
});

test("names the place inside the union member that was meant", () => {
  const schema = z.union([
    z.strictObject({ path: z.string() }),
    z.strictObject({ not: z.strictObject({ path: z.string() }) }),
  ]);
  expect(at(schema, { not: { path: 1 } })).toMatchObject([
    { loc: ["body", "field", "not", "path"], type: "string_type" },
  ]);
});

test("names the choices of a discriminator", () => {
  const schema = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a") }),
    z.object({ kind: z.literal("b") }),
  ]);
  const place = { loc: ["body", "field", "kind"] };
  expect(at(schema, { kind: "c" })).toEqual([
    { ...place, msg: "Input should be 'a' or 'b'", type: "literal_error" },
  ]);
  expect(at(schema, {})).toEqual([{ ...place, msg: "Field required", type: "missing" }]);
});

test("a root without a place gets the request's", () => {
  const { error } = z.object({}).safeParse(null);
  if (error === undefined) throw new Error("null was accepted");
  expect(toFaults(error, ["query"], null)).toMatchObject([{ loc: ["query"], type: "dict_type" }]);
});
