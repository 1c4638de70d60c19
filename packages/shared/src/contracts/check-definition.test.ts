import { describe, expect, test } from "vitest";
import { checkDefinition } from "./check-definition.ts";
import type { Json } from "./json.ts";

const CATALOGUE = [
  {
    action_type: "transform",
    input_schema: { type: "object", properties: { value: {} }, required: ["value"] },
    defaults: {},
  },
  {
    action_type: "send",
    input_schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        to: { type: "string", minLength: 3 },
        times: { type: "integer", minimum: 1 },
        mode: { enum: ["fast", "slow"] },
        tags: { type: "array", items: { type: "string" }, maxItems: 2 },
        body: { anyOf: [{ type: "string" }, { $ref: "#/$defs/Rich" }] },
      },
      required: ["to"],
      additionalProperties: false,
      $defs: {
        Rich: { type: "object", properties: { html: { type: "string" } }, required: ["html"] },
      },
    },
    defaults: {
      timeout: "5s",
      retry: {
        max_attempts: 2,
        initial_interval: "1s",
        backoff_coefficient: 3,
        max_interval: "2s",
      },
    },
  },
] satisfies { action_type: string; input_schema: Json; defaults: Json }[];

/** A chain a -> b -> c of transforms, changed by the test. */
function chain(changes: Record<string, object> = {}): { components: object[] } {
  const keys = ["a", "b", "c"];
  return {
    components: keys.map((key, index) => {
      const to = keys[index + 1];
      const next = to === undefined ? [] : [{ to }];
      return { key, action: "transform", with: { value: 1 }, next, ...changes[key] };
    }),
  };
}

function faultsOf(input: unknown): string[] {
  const result = checkDefinition(input, CATALOGUE);
  return result.ok ? [] : result.faults.map(({ loc, type }) => `${loc.join(".")} ${type}`);
}

function messagesOf(input: unknown): string[] {
  const result = checkDefinition(input, CATALOGUE);
  return result.ok ? [] : result.faults.map(({ msg }) => msg);
}

test("fills in every default, the action's before the engine's", () => {
  const result = checkDefinition(
    {
      components: [
        { key: "a", action: "transform", with: { value: 1 }, next: [{ to: "b" }] },
        { key: "b", action: "send", with: { to: "you" }, retry: { initial_interval: "10s" } },
      ],
    },
    CATALOGUE,
  );
  expect(result).toEqual({
    ok: true,
    definition: {
      description: "",
      enabled: true,
      timeout: "30d",
      components: [
        {
          key: "a",
          name: "a",
          action: "transform",
          with: { value: 1 },
          next: [{ to: "b", on: "success" }],
          timeout: "30s",
          retry: {
            max_attempts: 5,
            initial_interval: "1s",
            backoff_coefficient: 2,
            max_interval: "1m",
          },
          on_failure: "fail_run",
        },
        {
          key: "b",
          name: "b",
          action: "send",
          with: { to: "you" },
          next: [],
          timeout: "5s",
          retry: {
            max_attempts: 2,
            initial_interval: "10s",
            backoff_coefficient: 3,
            max_interval: "10s",
          },
          on_failure: "fail_run",
        },
      ],
    },
  });
});

test("keeps a with as it is, __proto__ and order of keys included", () => {
  const input: unknown = JSON.parse(
    '{"components":[{"key":"__proto__","action":"transform","with":{"value":{"__proto__":{"x":1},"b":1,"a":2}}}]}',
  );
  const result = checkDefinition(input, CATALOGUE);
  expect(JSON.stringify(result)).toContain('"with":{"value":{"__proto__":{"x":1},"b":1,"a":2}}');
});

test.each<[string, unknown, string[]]>([
  ["no object", [], [" dict_type"]],
  ["nothing", {}, ["components missing"]],
  ["no component", { components: [] }, ["components too_short"]],
  [
    "unknown fields everywhere",
    { ...chain({ a: { for_each: [], x: 1, next: [{ to: "b", y: 1 }] } }), z: 1, name: "n" },
    [
      "z extra_forbidden",
      "name extra_forbidden",
      "components.0.next.0.y extra_forbidden",
      "components.0.for_each extra_forbidden",
      "components.0.x extra_forbidden",
    ],
  ],
  [
    "a key of a bad form",
    chain({ c: { key: "a b" } }),
    ["components.1.next.0.to value_error", "components.2.key string_pattern_mismatch"],
  ],
  [
    "a key twice",
    chain({ c: { key: "b" } }),
    ["components.1.next.0.to value_error", "components.2.key value_error"],
  ],
  [
    "an edge to nowhere",
    chain({ a: { next: [{ to: "b" }, { to: "zz" }] } }),
    ["components.0.next.1.to value_error"],
  ],
  [
    "an edge to itself",
    chain({ c: { next: [{ to: "c" }] } }),
    ["components.2.next.0.to value_error"],
  ],
  ["a cycle", chain({ c: { next: [{ to: "a" }] } }), ["components.2.next.0.to value_error"]],
  ["an unknown action", chain({ b: { action: "wait" } }), ["components.1.action value_error"]],
  [
    "an inherited name as action",
    chain({ b: { action: "constructor" } }),
    ["components.1.action value_error"],
  ],
  [
    "a bad duration",
    chain({ b: { timeout: "soon" } }),
    ["components.1.timeout string_pattern_mismatch"],
  ],
  [
    "a time-out of nothing",
    chain({ b: { timeout: "0s" } }),
    ["components.1.timeout string_pattern_mismatch"],
  ],
  ["too long a time-out", { ...chain(), timeout: "3651d" }, ["timeout value_error"]],
  [
    "a retry that contradicts itself, besides another fault",
    chain({ b: { retry: { initial_interval: "2s", max_interval: "1s", max_attempts: 0 } } }),
    [
      "components.1.retry.max_attempts greater_than_equal",
      "components.1.retry.max_interval value_error",
    ],
  ],
  ["a with that is a list", chain({ b: { with: [] } }), ["components.1.with dict_type"]],
  [
    "a step that may be undecided",
    chain({ a: { with: { value: "${{ steps.b.output }}" } } }),
    ["components.0.with.value value_error"],
  ],
  [
    "its own step",
    chain({ b: { with: { value: ["${{ steps.b.status }}"] } } }),
    ["components.1.with.value.0 value_error"],
  ],
  [
    "a step of no component",
    chain({ b: { with: { value: "${{ steps.q.output }}" } } }),
    ["components.1.with.value value_error"],
  ],
  [
    "a reference of bad form",
    chain({ b: { with: { value: "${{ input. }}" } } }),
    ["components.1.with.value value_error"],
  ],
  [
    "a reference to an item",
    chain({ b: { with: { value: "${{ item.id }}" } } }),
    ["components.1.with.value value_error"],
  ],
  [
    "form and graph at once",
    chain({ a: { timeout: 3 }, c: { next: [{ to: "zz" }] } }),
    ["components.0.timeout string_type", "components.2.next.0.to value_error"],
  ],
])("refuses %s", (_name, input, expected) => {
  expect(faultsOf(input)).toEqual(expected);
});

test("names a cycle by its path", () => {
  expect(messagesOf(chain({ c: { next: [{ to: "a" }] } }))).toEqual([
    "Value error, cycle: a -> b -> c -> a",
  ]);
});

describe("conditions", () => {
  const withWhen = (when: unknown): unknown => chain({ a: { next: [{ to: "b", when }] } });
  const at = "components.0.next.0.when";
  const leaf = { path: "input.n", op: "eq", value: 1 };
  const nest = (levels: number): unknown => (levels === 1 ? leaf : { not: nest(levels - 1) });

  test.each<[string, unknown]>([
    ["a leaf", leaf],
    ["null as value", { path: "input.n", op: "eq", value: null }],
    [
      "all ops of exists",
      {
        all: [
          { path: "input", op: "exists" },
          { path: "input", op: "exists", value: false },
        ],
      },
    ],
    ["its source's own step", { path: "steps.a.output.x[0]", op: "exists" }],
    ["depth 16", nest(16)],
    ["256 nodes", { any: Array.from({ length: 255 }, () => leaf) }],
  ])("accepts %s", (_name, when) => {
    expect(faultsOf(withWhen(when))).toEqual([]);
  });

  test.each<[string, unknown, string[]]>([
    ["a text", "input.n == 1", [`${at} dict_type`]],
    ["null", null, [`${at} dict_type`]],
    ["nothing in it", {}, [`${at}.path missing`, `${at}.op missing`]],
    ["an unknown op", { path: "input.n", op: "matches", value: 1 }, [`${at}.op enum`]],
    ["no value", { path: "input.n", op: "gt" }, [`${at}.value missing`]],
    ["an order over a list", { path: "input.n", op: "gt", value: [] }, [`${at}.value value_error`]],
    ["in without a list", { path: "input.n", op: "in", value: "x" }, [`${at}.value list_type`]],
    [
      "exists with a number",
      { path: "input.n", op: "exists", value: 1 },
      [`${at}.value bool_type`],
    ],
    [
      "starts_with a number",
      { path: "input.n", op: "starts_with", value: 1 },
      [`${at}.value string_type`],
    ],
    ["a bad path", { path: "input..n", op: "exists" }, [`${at}.path value_error`]],
    ["an unknown root", { path: "env.HOME", op: "exists" }, [`${at}.path value_error`]],
    ["a later step", { path: "steps.b.output", op: "exists" }, [`${at}.path value_error`]],
    ["a mixture", { all: [leaf], path: "input.n" }, [`${at}.path extra_forbidden`]],
    [
      "faults deep down",
      { all: [{ any: [{ not: { path: "input.n", op: "x" } }, 3] }, leaf] },
      [`${at}.all.0.any.0.not.op enum`, `${at}.all.0.any.1 dict_type`],
    ],
    ["depth 17", nest(17), [`${at} value_error`]],
    ["257 nodes", { any: Array.from({ length: 256 }, () => leaf) }, [`${at} value_error`]],
  ])("refuses %s", (_name, when, expected) => {
    expect(faultsOf(withWhen(when))).toEqual(expected);
  });
});

describe("a with against the action's schema", () => {
  const at = "components.0.with";
  const withInput = (input: object): unknown => ({
    components: [{ key: "s", action: "send", with: input }],
  });

  test.each<[string, object]>([
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
  ])("accepts %s", (_name, input) => {
    expect(faultsOf(withInput(input))).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    [
      "what is missing and what is too much",
      { x: 1, "y/~z": "${{ input.y }}" },
      [`${at}.to missing`, `${at}.x extra_forbidden`, `${at}.y/~z extra_forbidden`],
    ],
    [
      "a key named __proto__",
      JSON.parse('{"to":"you","__proto__":1}') as object,
      [`${at}.__proto__ extra_forbidden`],
    ],
    [
      "literals of the wrong type",
      { to: 3, times: "x", tags: [1] },
      [`${at}.to string_type`, `${at}.times int_type`, `${at}.tags.0 string_type`],
    ],
    [
      "literals out of bounds",
      { to: "me", times: 0, mode: "warp" },
      [`${at}.to string_too_short`, `${at}.times greater_than_equal`, `${at}.mode enum`],
    ],
    ["a text for a number", { to: "you", times: "1${{ input.n }}" }, [`${at}.times int_type`]],
    [
      "too many items, references or not",
      { to: "you", tags: ["${{ input.a }}", "b", "c"] },
      [`${at}.tags too_long`],
    ],
    [
      "none of several forms, said once",
      { to: "you", body: { text: "x" } },
      [`${at}.body value_error`],
    ],
  ])("refuses %s", (_name, input, expected) => {
    expect(faultsOf(withInput(input)).toSorted()).toEqual(expected.toSorted());
  });
});

describe("limits", () => {
  const many = (count: number, input: object = { value: 1 }): unknown => ({
    components: Array.from({ length: count }, (_, index) => ({
      key: `k${index}`,
      action: "transform",
      with: input,
    })),
  });

  test("500 components are accepted, 501 refused", () => {
    expect(faultsOf(many(500))).toEqual([]);
    expect(faultsOf(many(501))).toEqual(["components too_long"]);
  });

  test("a definition of more than 256 KiB is refused", () => {
    expect(faultsOf(many(1, { value: "x".repeat(256 * 1024) }))).toEqual([" value_error"]);
  });

  test("deep nesting is refused before anything walks it", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(faultsOf(deep)).toEqual([" value_error"]);
  });

  test("a large dense graph is checked in well under a second", () => {
    const components = Array.from({ length: 200 }, (_, index) => ({
      key: `k${index}`,
      action: "transform",
      with: { value: index === 0 ? 1 : `\${{ steps.k${index - 1}.output }}` },
      next: Array.from({ length: 199 - index }, (_each, offset) => ({
        to: `k${index + offset + 1}`,
      })),
    }));
    const before = performance.now();
    const oversized = faultsOf({ components }).filter((fault) => fault !== " value_error");
    expect(oversized).toEqual([]);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});
