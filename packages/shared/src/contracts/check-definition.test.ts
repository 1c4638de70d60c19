import { expect, test } from "vitest";
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
      type: "object",
      properties: { to: { type: "string" } },
      required: ["to"],
      additionalProperties: false,
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
    { ...chain({ a: { for_eech: [], x: 1, next: [{ to: "b", y: 1 }] } }), z: 1, name: "n" },
    [
      "z extra_forbidden",
      "name extra_forbidden",
      "components.0.next.0.y extra_forbidden",
      "components.0.for_eech extra_forbidden",
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
    "a timeout of nothing",
    chain({ b: { timeout: "0s" } }),
    ["components.1.timeout string_pattern_mismatch"],
  ],
  ["too long a timeout", { ...chain(), timeout: "3651d" }, ["timeout value_error"]],
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
    "a reference to an item where there is none",
    chain({
      a: { next: [{ to: "b", when: { path: "index", op: "eq", value: 1 } }] },
      b: { with: { value: "${{ item.id }}" } },
    }),
    ["components.0.next.0.when.path value_error", "components.1.with.value value_error"],
  ],
  [
    "a reference to an item in the edges and the list of a component that has one",
    chain({
      a: {
        for_each: ["${{ item }}"],
        with: { value: "${{ index }}" },
        next: [{ to: "b", when: { path: "item", op: "exists" } }],
      },
    }),
    ["components.0.for_each.0 value_error", "components.0.next.0.when.path value_error"],
  ],
  [
    "for_each over what can be no list",
    chain({ a: { for_each: "all" }, b: { for_each: "x ${{ input.a }}" }, c: { for_each: 3 } }),
    [
      "components.0.for_each value_error",
      "components.1.for_each value_error",
      "components.2.for_each string_type",
    ],
  ],
  [
    "a concurrency that cannot be",
    chain({ a: { max_concurrency: 2 }, b: { for_each: [], max_concurrency: 201 } }),
    ["components.0.max_concurrency value_error", "components.1.max_concurrency less_than_equal"],
  ],
  [
    "a with that fails the action's schema",
    { components: [{ key: "s", action: "send", with: { x: "${{ input.x }}" } }] },
    ["components.0.with.to missing", "components.0.with.x extra_forbidden"],
  ],
  [
    "form and graph at once",
    chain({ a: { timeout: 3 }, c: { next: [{ to: "zz" }] } }),
    ["components.0.timeout string_type", "components.2.next.0.to value_error"],
  ],
])("refuses %s", (_name, input, expected) => {
  expect(faultsOf(input)).toEqual(expected);
});

test("for_each runs ten items at once unless it says another number", () => {
  const checked = checkDefinition(
    chain({ a: { for_each: "${{ input.list }}", with: { value: "${{ item.id }}" } } }),
    CATALOGUE,
  );
  const component = checked.ok ? checked.definition.components[0] : undefined;
  expect(component).toMatchObject({ for_each: "${{ input.list }}", max_concurrency: 10 });
  expect(checked.ok && checked.definition.components[1]).not.toHaveProperty("max_concurrency");
});

test("names a cycle by its path", () => {
  expect(messagesOf(chain({ c: { next: [{ to: "a" }] } }))).toEqual([
    "Value error, cycle: a -> b -> c -> a",
  ]);
});

test("what another team's worker serves carries where that worker is reached; no author writes it", () => {
  const score = {
    action_type: "score",
    input_schema: { type: "object" },
    defaults: { timeout: "5s", heartbeat_timeout: "10s" },
    task_queue: "risk",
  };
  const components = [
    { key: "a", action: "score", next: [{ to: "b" }] },
    { key: "b", action: "x" },
  ];
  const result = checkDefinition({ components }, [
    score,
    { ...score, action_type: "x", defaults: {}, task_queue: null },
  ]);
  expect(result).toMatchObject({
    ok: true,
    definition: { components: [{ task_queue: "risk", heartbeat_timeout: "10s" }, { key: "b" }] },
  });
  expect(result.ok && result.definition.components[1]).not.toHaveProperty("task_queue");
  const written = { key: "a", action: "score", task_queue: "mine", heartbeat_timeout: "1s" };
  const refused = checkDefinition({ components: [written] }, [score]);
  expect(refused.ok || refused.faults.map(({ loc, type }) => [loc.at(-1), type])).toEqual([
    ["task_queue", "extra_forbidden"],
    ["heartbeat_timeout", "extra_forbidden"],
  ]);
});

test("how a component runs is saved with it: inside of its workflow task if its action does and it is short", () => {
  const local = { action_type: "transform", input_schema: {}, defaults: { execution: "local" } };
  const save = (given: object, defaults: Json) => {
    const input = { components: [{ key: "a", action: "transform", ...given }] };
    const result = checkDefinition(input, [{ ...local, defaults }]);
    return result.ok ? result.definition.components[0] : null;
  };
  expect(save({}, { execution: "local", timeout: "5s" })).toMatchObject({ execution: "local" });
  expect(save({ timeout: "4s" }, { execution: "local" })).toMatchObject({ execution: "local" });
  for (const component of [
    save({ timeout: "6s" }, { execution: "local", timeout: "5s" }),
    save({}, { execution: "local" }),
    save({}, { execution: "else", timeout: "5s" }),
    save({}, { timeout: "5s" }),
  ]) {
    expect(component).not.toBeNull();
    expect(component).not.toHaveProperty("execution");
  }
});
