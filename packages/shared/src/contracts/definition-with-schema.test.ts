import { describe, expect, test } from "vitest";
import { createWithCheck } from "./definition-with-schema.ts";
import type { JsonObject } from "./json.ts";

const form = (name: string, value: JsonObject): JsonObject => ({
  type: "object",
  properties: { [name]: value },
  required: [name],
  additionalProperties: false,
});

const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    to: { type: "string", minLength: 3 },
    times: { type: "integer", minimum: 1 },
    mode: { enum: ["fast", "slow"] },
    tags: { type: "array", items: { type: "string" }, maxItems: 2 },
    body: { anyOf: [{ type: "string" }, { $ref: "#/$defs/Rich" }] },
    when: {
      anyOf: [
        { ...form("duration", { type: "string", pattern: "^[0-9]+s$" }) },
        { ...form("until", { type: "integer" }) },
      ],
    },
    mail: {
      anyOf: [
        { type: "string", format: "email", pattern: "^[^@]+@[^@]+$" },
        { type: "array", items: { type: "string" } },
      ],
    },
  },
  required: ["to"],
  additionalProperties: false,
  $defs: {
    Rich: { type: "object", properties: { html: { type: "string" } }, required: ["html"] },
  },
};

function faultsOf(input: JsonObject): string[] {
  const check = createWithCheck(new Map([["send", SCHEMA]]));
  return check("send", input).map(({ loc, type }) => `${loc.join(".")} ${type}`);
}

describe("a with against the action's schema", () => {
  test.each<[string, JsonObject]>([
    ["literals that fit", { to: "you", times: 2, mode: "fast", tags: ["x"], body: { html: "" } }],
    [
      "references of unknown type",
      {
        to: "${{ input.to }}",
        times: "${{ input.n }}",
        mode: "${{ input.m }}",
        tags: "${{ input.t }}",
      },
    ],
    ["a text whose length is open", { to: "${{ input.a }}${{ input.b }}" }],
    ["a text that might be of an enum", { to: "you", mode: "f${{ input.a }}" }],
    ["a form that a reference may complete", { to: "you", body: { html: "${{ input.h }}" } }],
    [
      "a form whose value a reference gives",
      { to: "you", when: { duration: "${{ input.d }}" }, mail: "${{ input.m }}" },
    ],
  ])("accepts %s", (_name, input) => {
    expect(faultsOf(input)).toEqual([]);
  });

  test.each<[string, JsonObject, string[]]>([
    [
      "what is missing and what is too much",
      { x: 1, "y/~z": "${{ input.y }}" },
      [`to missing`, `x extra_forbidden`, `y/~z extra_forbidden`],
    ],
    [
      "a key named __proto__",
      JSON.parse('{"to":"you","__proto__":1}') as JsonObject,
      [`__proto__ extra_forbidden`],
    ],
    [
      "literals of the wrong type",
      { to: 3, times: "x", tags: [1] },
      [`to string_type`, `times int_type`, `tags.0 string_type`],
    ],
    [
      "literals out of bounds",
      { to: "me", times: 0, mode: "warp" },
      [`to string_too_short`, `times greater_than_equal`, `mode enum`],
    ],
    ["a text for a number", { to: "you", times: "1${{ input.n }}" }, [`times int_type`]],
    [
      "too many items, references or not",
      { to: "you", tags: ["${{ input.a }}", "b", "c"] },
      [`tags too_long`],
    ],
    ["none of several forms, said once", { to: "you", body: 5 }, [`body value_error`]],
    [
      "none of several forms, by the nearest",
      { to: "you", body: { text: "x" }, when: { duration: "soon" } },
      [`body.html missing`, `when.duration value_error`],
    ],
    [
      "none of several forms, whatever the references give",
      {
        to: "you",
        when: { duration: "${{ input.d }}", until: "${{ input.u }}" },
        body: { text: "${{ input.t }}" },
      },
      [`body.html missing`, `when value_error`],
    ],
    [
      "a key that the nearest form does not know",
      { to: "you", when: { duration: "5s", unti: 5 } },
      [`when.unti extra_forbidden`],
    ],
  ])("refuses %s", (_name, input, expected) => {
    expect(faultsOf(input).toSorted()).toEqual(expected.toSorted());
  });

  test.each<[string, JsonObject, string]>([
    [
      "what the forms need, when none is nearer",
      { when: {} },
      "none of the forms that the action accepts here, which need 'duration' or 'until'",
    ],
    [
      "the same, when there are two",
      { when: { duration: "5s", until: 5 } },
      "none of the forms that the action accepts here, which need 'duration' or 'until'",
    ],
    ["a format by its name", { mail: "nobody" }, 'must match format "email"'],
  ])("says %s", (_name, input, message) => {
    const check = createWithCheck(new Map([["send", SCHEMA]]));
    expect(check("send", { to: "you", ...input }).map(({ msg }) => msg)).toEqual([
      `Value error, ${message}`,
    ]);
  });

  test("lists tens of thousands of faults while others wait", { timeout: 10_000 }, () => {
    const name = { anyOf: [{ type: "string" }, form("name", { type: "string" })] };
    const list = { type: "array", items: { anyOf: [name, { type: "null" }] } };
    const check = createWithCheck(new Map([["send", { properties: { list } }]]));
    const faults = check("send", { list: Array.from({ length: 50_000 }, () => [1]) });
    expect(faults).toHaveLength(50_000);
  });
});
