import { describe, expect, test } from "vitest";
import type { JsonObject } from "../contracts/json.ts";
import { advance, type StepState } from "./advance.ts";
import { compileDefinition } from "./compile-definition.ts";
import { define, type Parts } from "./testing/define.ts";

const OK: StepState = { status: "success", output: { n: 1 } };
const FAILED: StepState = { status: "failed", message: "boom" };
const SKIPPED: StepState = { status: "skipped" };
const RUNNING: StepState = { status: "running" };
const RUN = { id: "cbwr_1", workflow_name: "sweep", started_at: 7 };

interface Summary {
  ready?: string[];
  skipped?: Record<string, string>;
  outcome?: string;
}

function next(
  parts: Record<string, Parts>,
  states: Record<string, StepState> = {},
  input: JsonObject = {},
): Summary {
  const definition = compileDefinition(define(parts));
  const decision = advance(definition, { input, run: RUN }, new Map(Object.entries(states)));
  const { ready, skipped, outcome } = decision;
  return {
    ...(ready.length === 0 ? {} : { ready: ready.map(({ component }) => component.key) }),
    ...(skipped.length === 0
      ? {}
      : { skipped: Object.fromEntries(skipped.map((s) => [s.component.key, s.message])) }),
    ...(outcome === null
      ? {}
      : { outcome: outcome.status === "failed" ? outcome.message : "completed" }),
  };
}

const N_IS_ONE = { path: "input.n", op: "eq" as const, value: 1 };

test("all entrypoints start together, in the definition's order", () => {
  expect(next({ b: { next: ["z"] }, a: { next: ["z"] }, z: {} })).toEqual({ ready: ["b", "a"] });
});

test("nothing is given out again", () => {
  expect(next({ a: {}, b: {} }, { a: RUNNING, b: RUNNING })).toEqual({});
  expect(next({ a: {}, b: {} }, { a: OK, b: RUNNING })).toEqual({});
  expect(next({ a: {}, b: {} }, { a: OK, b: OK })).toEqual({ outcome: "completed" });
});

describe("joins", () => {
  const join: Record<string, Parts> = { a: { next: ["z"] }, b: { next: ["z"] }, z: {} };

  test("wait until every edge is decided", () => {
    expect(next(join, { a: OK, b: RUNNING })).toEqual({});
    expect(next(join, { a: OK, b: OK })).toEqual({ ready: ["z"] });
  });

  test("run when one edge of several was taken", () => {
    const parts: Record<string, Parts> = { ...join, b: { next: ["z"], on_failure: "continue" } };
    expect(next(parts, { a: OK, b: FAILED })).toEqual({ ready: ["z"] });
    expect(next(parts, { a: SKIPPED, b: FAILED })).toEqual({ outcome: "completed" });
  });

  test("run once when two edges of one component lead there", () => {
    const parts = { a: { next: ["z", { to: "z", on: "always" as const }] }, z: {} };
    expect(next(parts, { a: OK })).toEqual({ ready: ["z"] });
  });
});

describe("conditions", () => {
  const parts: Record<string, Parts> = {
    a: { next: [{ to: "b", when: N_IS_ONE }] },
    b: { next: ["c", { to: "d", on: "always" }] },
    c: {},
    d: {},
  };

  test("take the edge when they hold", () => {
    expect(next(parts, { a: OK }, { n: 1 })).toEqual({ ready: ["b"] });
  });

  test("skip the component when not, with the value; what follows is dead without a step", () => {
    expect(next(parts, { a: OK }, { n: 50 })).toEqual({
      skipped: { b: "Condition not met after 'a': input.n eq 1 (was 50)" },
      outcome: "completed",
    });
  });

  test("are not looked at when the outcome does not match", () => {
    const failure: Record<string, Parts> = {
      a: { next: [{ to: "b", on: "failure", when: N_IS_ONE }] },
      b: {},
    };
    expect(next(failure, { a: OK }, { n: 50 })).toEqual({ outcome: "completed" });
  });

  test("a component with a skip recorded stays skipped", () => {
    expect(next(parts, { a: OK, b: SKIPPED }, { n: 50 })).toEqual({ outcome: "completed" });
  });

  test("all that did not hold are named", () => {
    const two: Record<string, Parts> = {
      a: { next: [{ to: "z", when: N_IS_ONE }] },
      b: {
        next: [{ to: "z", on: "always", when: { path: "steps.b.output.n", op: "gt", value: 3 } }],
      },
      z: {},
    };
    expect(next(two, { a: OK, b: OK }).skipped).toEqual({
      z: "Condition not met after 'a': input.n eq 1 (was missing); after 'b': steps.b.output.n gt 3 (was 1)",
    });
  });

  test("one skip decides further components in the same call", () => {
    const deep: Record<string, Parts> = {
      a: { next: [{ to: "b", when: N_IS_ONE }, "d"] },
      b: { next: ["c"] },
      c: { next: ["d"] },
      d: {},
    };
    expect(next(deep, { a: OK })).toMatchObject({
      ready: ["d"],
      skipped: { b: expect.any(String) },
    });
  });
});

describe("failures", () => {
  const BOOM = "Component 'a' failed: boom";

  test("fail the run, which then starts and skips nothing", () => {
    const parts: Record<string, Parts> = { a: { next: ["b"] }, b: {}, c: { next: ["d"] }, d: {} };
    expect(next(parts, { a: FAILED, c: OK })).toEqual({ outcome: BOOM });
    expect(next(parts, { a: FAILED, c: RUNNING })).toEqual({ outcome: BOOM });
  });

  test("by the action `fail` end the run with its message, whatever would take another failure", () => {
    const parts: Record<string, Parts> = {
      a: { action: "fail", on_failure: "continue", next: [{ to: "b", on: "always" }] },
      b: {},
    };
    expect(next(parts, { a: FAILED })).toEqual({ outcome: "boom" });
  });

  test.each(["failure", "always"] as const)("are taken by an edge on %s", (on) => {
    const parts: Record<string, Parts> = { a: { next: ["b", { to: "h", on }] }, b: {}, h: {} };
    expect(next(parts, { a: FAILED })).toEqual({ ready: ["h"] });
    expect(next(parts, { a: FAILED, h: OK })).toEqual({ outcome: "completed" });
  });

  test("are not taken by an edge whose condition does not hold", () => {
    const parts: Record<string, Parts> = {
      a: { next: [{ to: "h", on: "failure", when: N_IS_ONE }] },
      h: {},
    };
    expect(next(parts, { a: FAILED })).toEqual({ outcome: BOOM });
    expect(next(parts, { a: FAILED }, { n: 1 })).toEqual({ ready: ["h"] });
  });

  test("do not fail the run with on_failure continue; success edges are not taken", () => {
    const parts: Record<string, Parts> = {
      a: { on_failure: "continue", next: ["b", { to: "c", on: "always" }] },
      b: {},
      c: { with: { output: "${{ steps.a.output }}", status: "${{ steps.a.status }}" } },
    };
    expect(next(parts, { a: FAILED })).toEqual({ ready: ["c"] });
    expect(next(parts, { a: FAILED, c: OK })).toEqual({ outcome: "completed" });
  });

  test("an edge on failure is not taken on success, nor any edge out of a skipped component", () => {
    const parts: Record<string, Parts> = { a: { next: [{ to: "h", on: "failure" }] }, h: {} };
    expect(next(parts, { a: OK })).toEqual({ outcome: "completed" });
    const always: Record<string, Parts> = { a: { next: [{ to: "h", on: "always" }] }, h: {} };
    expect(next(always, { a: SKIPPED })).toEqual({ outcome: "completed" });
  });

  test("a long message is cut", () => {
    const outcome = next({ a: {} }, { a: { status: "failed", message: "x".repeat(1e6) } }).outcome;
    expect(outcome?.length).toBeLessThan(2_100);
  });
});

describe("references", () => {
  test("are resolved when the component becomes ready", () => {
    const document = define({
      a: { next: ["b"] },
      b: { with: { n: "${{ steps.a.output.n }}", text: "${{ run.id }} of ${{ input.x }}" } },
    });
    const states = new Map([["a", OK]]);
    const { ready } = advance(compileDefinition(document), { input: { x: "y" }, run: RUN }, states);
    expect(ready.map((each) => each.with)).toEqual([{ n: 1, text: "cbwr_1 of y" }]);
  });

  test("to nothing skip the component and name themselves", () => {
    const parts: Record<string, Parts> = {
      a: { with: { x: "${{ input.none }}", y: ["${{ input.gone }}"] }, next: ["b"] },
      b: {},
    };
    expect(next(parts)).toEqual({
      skipped: { a: "Nothing found at ${{ input.none }}, ${{ input.gone }}" },
      outcome: "completed",
    });
  });

  test("to a skipped component see its status, but no output", () => {
    const parts: Record<string, Parts> = {
      a: { next: ["z"] },
      b: { next: ["z"] },
      z: {
        with: { seen: "${{ steps.a.status }}", output: "${{ steps.a.output | default('none') }}" },
      },
    };
    const definition = compileDefinition(define(parts));
    const states = new Map<string, StepState>([
      ["a", SKIPPED],
      ["b", OK],
    ]);
    const { ready } = advance(definition, { input: {}, run: RUN }, states);
    expect(ready.map((each) => each.with)).toEqual([{ seen: "skipped", output: "none" }]);
  });

  test("to a component that was skipped in the same moment see its status", () => {
    const readers = ["z", "items"];
    const parts: Record<string, Parts> = {
      a: { next: [{ to: "b", when: N_IS_ONE }, ...readers] },
      b: { next: readers },
      z: { with: { seen: "${{ steps.b.status }}" } },
      items: { for_each: [1], with: { seen: "${{ steps.b.status }}" } },
      c: { with: { seen: "${{ steps.b.output | default(0) }}" } },
    };
    const definition = compileDefinition(define(parts));
    const states = new Map([["a", OK]]);
    const { ready } = advance(definition, { input: {}, run: RUN }, states);
    expect(ready.map(({ component }) => component.key)).toEqual(["c", "z", "items"]);
    expect(ready[1]?.with).toEqual({ seen: "skipped" });
    expect(ready[2]?.items?.resolve(0)).toMatchObject({ value: { seen: "skipped" } });
  });

  test("do not see it in a run that began when they could not, which is asked only then", () => {
    const parts: Record<string, Parts> = {
      a: { next: [{ to: "b", when: N_IS_ONE }, "z", "items"] },
      b: { next: ["z"] },
      z: { with: { seen: "${{ steps.b.status }}" } },
      items: { for_each: [1], with: { seen: "${{ steps.b.status | default(0) }}" } },
    };
    const asked: string[] = [];
    const hasChange = (change: string): boolean => asked.push(change) < 0;
    const decide = (states: Record<string, StepState>) =>
      advance(
        compileDefinition(define(parts)),
        { input: {}, run: RUN, hasChange },
        new Map(Object.entries(states)),
      );
    decide({});
    decide({ a: OK, b: SKIPPED });
    expect(asked).toEqual([]);
    const { ready, skipped } = decide({ a: OK });
    expect(asked).toEqual(["status-of-a-step-just-skipped"]);
    expect(skipped.map(({ component }) => component.key)).toEqual(["b", "z"]);
    expect(ready.map(({ component }) => component.key)).toEqual(["items"]);
    expect(ready[0]?.items?.resolve(0)).toMatchObject({ value: { seen: 0 } });
    expect(asked).toHaveLength(2);
  });

  test("to a component that never ran have their default", () => {
    const parts: Record<string, Parts> = {
      a: { next: [{ to: "b", on: "failure" }, "c"] },
      b: { next: ["c"] },
      c: { with: { x: "${{ steps.b.output.n | default(0) }}" } },
    };
    expect(next(parts, { a: OK })).toEqual({ ready: ["c"] });
  });
});

describe("what is too large", () => {
  const input = { text: "x".repeat(600_000), list: ["y".repeat(600_000)] };
  const two = ["${{ input.text }}", "${{ input.text }}"];

  test("is measured and not built, in one `with` or for one item", () => {
    const parts: Record<string, Parts> = {
      texts: { with: { value: two.join("") } },
      values: { with: { value: two } },
      items: { for_each: [1, 2], with: { value: two } },
      fits: { with: { value: "${{ input.text }}" } },
    };
    const { ready } = advance(compileDefinition(define(parts)), { input, run: RUN }, new Map());
    const bytes = 1_200_012;
    expect(ready.slice(0, 2)).toMatchObject([{ bytes }, { bytes: bytes + 5 }]);
    expect(ready.map((each) => each.with === undefined)).toEqual([true, true, true, false]);
    expect(ready[2]?.items?.resolve(1)).toEqual({ ok: false, bytes: bytes + 5 });
  });

  test("is a `for_each` whose texts are, except in a run that began it before there was a limit", () => {
    const parts: Record<string, Parts> = {
      texts: { for_each: [two.join("")] },
      // These are shared, not built.
      values: { for_each: two },
      list: { for_each: "${{ input.list }}" },
    };
    const definition = compileDefinition(define(parts));
    const { ready, refused } = advance(definition, { input, run: RUN }, new Map());
    expect(ready.map(({ component }) => component.key)).toEqual(["values", "list"]);
    expect(refused.map(({ message }) => message)).toEqual([
      "`for_each` has 1200004 bytes; its texts may have 1048576 characters together.",
    ]);
    const asked: string[] = [];
    const hasChange = (change: string): boolean => asked.push(change) < 0;
    const before = advance(definition, { input, run: RUN, hasChange }, new Map());
    expect(before.ready.map(({ component }) => component.key)).toEqual(["texts", "values", "list"]);
    expect(asked).toEqual(["limit-of-texts-in-for-each"]);
  });
});

test("why a `for_each` is refused is cut, whatever the reason", () => {
  const text = `| default(${JSON.stringify("x".repeat(20_000))})`;
  const input = { many: Array.from({ length: 10_001 }, () => 0), one: 1 };
  const definition = compileDefinition(
    define({
      many: { for_each: `\${{ input.many ${text} }}` },
      one: { for_each: `\${{ input.one ${text} }}` },
      texts: { for_each: `\${{ input.none ${text} }}`.repeat(60) },
    }),
  );
  const { refused } = advance(definition, { input, run: RUN }, new Map());
  expect(refused.map(({ component }) => component.key)).toEqual(["many", "one", "texts"]);
  for (const { message } of refused) expect(message.length).toBeLessThanOrEqual(2_000);
});

test("the edges of a failure are judged once, however often the run is decided", () => {
  let looks = 0;
  const input = {
    get n() {
      looks += 1;
      return 1;
    },
  };
  const onFailure = { to: "rescue", on: "failure" as const, when: N_IS_ONE };
  const definition = compileDefinition(define({ a: { next: [onFailure] }, rescue: {}, other: {} }));
  const states = new Map<string, StepState>([
    ["a", FAILED],
    ["rescue", RUNNING],
    ["other", RUNNING],
  ]);
  for (let round = 0; round < 10; round++) {
    expect(advance(definition, { input, run: RUN }, states).outcome).toBeNull();
  }
  expect(looks).toBe(1);
  const others = new Map(states);
  expect(advance(definition, { input: { n: 2 }, run: RUN }, others).outcome).toMatchObject({
    code: "component_failed",
  });
});

test("keys that are inherited names of objects are ordinary", () => {
  const parts: Record<string, Parts> = {
    constructor: { next: ["toString"] },
    toString: { with: { x: "${{ steps.constructor.output.n }}" } },
  };
  expect(next(parts)).toEqual({ ready: ["constructor"] });
  expect(next(parts, { constructor: OK })).toEqual({ ready: ["toString"] });
});

test("a run of 500 components is decided in well under a second", () => {
  const parts: Record<string, Parts> = {};
  for (let index = 0; index < 500; index++) {
    parts[`k${index}`] =
      index < 499
        ? {
            next: [
              {
                to: `k${index + 1}`,
                when: { path: `steps.k${index}.output.n`, op: "eq", value: 1 },
              },
            ],
          }
        : {};
  }
  const definition = compileDefinition(define(parts));
  const states = new Map<string, StepState>();
  const before = performance.now();
  for (let index = 0; index < 500; index++) {
    const { ready } = advance(definition, { input: {}, run: RUN }, states);
    expect(ready).toHaveLength(1);
    for (const { component } of ready) states.set(component.key, OK);
  }
  expect(advance(definition, { input: {}, run: RUN }, states).outcome).toEqual({
    status: "completed",
  });
  expect(performance.now() - before).toBeLessThan(1_500);
});
