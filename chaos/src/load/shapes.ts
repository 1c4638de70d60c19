import type { JsonObject } from "@truerun/shared/contracts/json";
import { component, each, effect, forEach, items, type Shape } from "./shape.ts";
import { insideOfTasks } from "./local-shapes.ts";
import { review, staysOpen, waits } from "./waiting-shapes.ts";

const TEN = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10"];
const BRANCHES = ["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"];

/** Components one after another, each with an effect. */
function chain(keys: readonly string[]) {
  return keys.map((key, index) => effect(key, "ok", { next: keys.slice(index + 1, index + 2) }));
}

const sequence: Shape = {
  name: "sequence of 10",
  weight: 12,
  definition: { components: chain(TEN) },
  ends: "completed",
  steps: each(TEN, "success"),
  effects: each(TEN, 1),
};

const fanOutAndJoin: Shape = {
  name: "fan-out and join",
  weight: 4,
  definition: {
    components: [
      effect("start", "ok", { next: BRANCHES }),
      ...BRANCHES.map((key) => effect(key, "ok", { next: ["join"] })),
      effect("join", "ok"),
    ],
  },
  ends: "completed",
  steps: each(["start", ...BRANCHES, "join"], "success"),
  effects: each(["start", ...BRANCHES, "join"], 1),
};

const conditions: Shape = {
  name: "conditions",
  weight: 3,
  definition: {
    components: [
      component("first", {
        next: [
          { to: "taken", when: { path: "steps.first.output.n", op: "gt", value: 10 } },
          { to: "not_taken", when: { path: "steps.first.output.n", op: "lte", value: 10 } },
          "unresolved",
        ],
        more: { action: "transform", with: { value: { n: 50 } } },
      }),
      effect("taken", "ok", { next: ["after"] }),
      effect("not_taken", "ok", { next: ["behind"] }),
      effect("behind", "ok"),
      component("unresolved", {
        more: { action: "transform", with: { value: "${{ input.nothing }}" } },
      }),
      effect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: {
    ...each(["first", "taken", "after"], "success"),
    ...each(["not_taken", "unresolved"], "skipped"),
  },
  effects: each(["taken", "after"], 1),
};

const retries: Shape = {
  name: "retries",
  weight: 3,
  definition: {
    components: [effect("flaky", "flaky/2", { next: ["slow"] }), effect("slow", "slow/1500")],
  },
  ends: "completed",
  steps: each(["flaky", "slow"], "success"),
  effects: { flaky: 3, slow: 1 },
};

const failsTheRun: Shape = {
  name: "a failure that ends the run",
  weight: 2,
  definition: {
    components: [
      effect("before", "ok", { next: ["refused"] }),
      effect("refused", "refuse", { next: ["never"] }),
      effect("never", "ok"),
    ],
  },
  ends: "failed",
  steps: { before: "success", refused: "failed" },
  effects: each(["before", "refused"], 1),
};

const takesFailures: Shape = {
  name: "failures that are taken",
  weight: 2,
  definition: {
    components: [
      effect("refused", "refuse", { next: ["never", { to: "rescue", on: "failure" }] }),
      effect("never", "ok"),
      effect("rescue", "ok", { next: ["tolerated"] }),
      effect("tolerated", "refuse", {
        next: [{ to: "anyway", on: "always" }],
        more: { on_failure: "continue" },
      }),
      effect("anyway", "ok"),
    ],
  },
  ends: "completed",
  steps: { refused: "failed", rescue: "success", tolerated: "failed", anyway: "success" },
  effects: each(["refused", "rescue", "tolerated", "anyway"], 1),
};

const inlineItems: Shape = {
  name: "for_each",
  weight: 2,
  definition: {
    components: [
      effect("item", "ok", { next: ["after"], more: forEach(12, 4) }),
      effect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: each([...items("item", 12), "after"], "success"),
  effects: each([...items("item", 12), "after"], 1),
};

const batches: Shape = {
  name: "for_each in batches",
  weight: 1,
  definition: {
    components: [
      effect("item", "ok", { next: ["after"], more: forEach(110, 20) }),
      effect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: each([...items("item", 110), "after"], "success"),
  effects: each([...items("item", 110), "after"], 1),
};

const failAction: Shape = {
  name: "the action fail",
  weight: 1,
  definition: {
    components: [
      effect("before", "ok", { next: ["stop"] }),
      component("stop", { more: { action: "fail", with: { message: "No budget" } } }),
    ],
  },
  ends: "failed",
  steps: { before: "success", stop: "failed" },
  effects: { before: 1 },
};

/** Started only by runs of `parent`. */
const child: Shape = {
  name: "child",
  weight: 0,
  definition: { components: chain(["c1", "c2", "c3"]) },
  ends: "completed",
  steps: each(["c1", "c2", "c3"], "success"),
  effects: each(["c1", "c2", "c3"], 1),
};

const parent: Shape = {
  name: "parent",
  weight: 2,
  definition: {
    components: [
      effect("before", "ok", { next: ["waited_for", "let_go"] }),
      component("waited_for", { next: ["after"], more: runChild({}) }),
      component("let_go", { more: runChild({ wait: false }) }),
      effect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: each(["before", "waited_for", "let_go", "after"], "success"),
  effects: each(["before", "after"], 1),
};

function runChild(more: JsonObject): JsonObject {
  const input = { ledger: "${{ input.ledger }}", load_id: "${{ input.load_id }}/child" };
  return { action: "run_workflow", with: { workflow_name: child.name, input, ...more } };
}

/** What is started. A new shape is one more element; all checks go by what it says about itself. */
export const SHAPES: readonly Shape[] = [
  sequence,
  fanOutAndJoin,
  conditions,
  retries,
  failsTheRun,
  takesFailures,
  waits,
  inlineItems,
  batches,
  failAction,
  review,
  staysOpen,
  insideOfTasks,
  child,
  parent,
];
