// For tests only: one run of every shape that a definition can take, for the mirror and for histories.
import { CHILD_RUN_SHAPES } from "./child-run-shapes.ts";
import { FAN_OUT_SHAPES } from "./fan-out-shapes.ts";
import { LOCAL_SHAPES } from "./local-shapes.ts";
import { REVIEW_SHAPES } from "./review-shapes.ts";
import { type Shape, skippedBesideItsReaders, to } from "./shape.ts";
import { component, retryEvery } from "./rig-runs.ts";

const noRetry = retryEvery("1s", 1);

const PLAIN_SHAPES: readonly Shape[] = [
  {
    name: "sequence",
    components: () => [
      component("a", { next: [to("b")] }),
      component("b", { with: { value: "${{ steps.a.output }}" }, next: [to("c")] }),
      component("c", { action: "touch", with: { id: "${{ steps.b.output }}" } }),
    ],
    ends: "completed",
    steps: ["a: success", "b: success", "c: success"],
  },
  {
    name: "fan-out and join",
    components: () => [
      component("start", { next: [to("left"), to("right")] }),
      component("left", { next: [to("join")] }),
      component("right", { next: [to("join")] }),
      component("join", {
        with: { value: ["${{ steps.left.output }}", "${{ steps.right.output }}"] },
      }),
    ],
    ends: "completed",
    steps: ["start: success", "left: success", "right: success", "join: success"],
  },
  {
    name: "conditions, skips and dead paths",
    input: { n: 50 },
    components: () => [
      component("first", {
        next: [
          { ...to("big"), when: { path: "input.n", op: "gt", value: 10 } },
          { ...to("small"), when: { path: "input.n", op: "lte", value: 10 } },
          to("missing"),
        ],
      }),
      component("big"),
      component("small", { next: [to("behind_small")] }),
      component("behind_small"),
      component("missing", { with: { value: "${{ input.nothing }}" } }),
    ],
    ends: "completed",
    steps: ["first: success", "small: skipped", "missing: skipped", "big: success"],
  },
  { name: "the status of a step just skipped", ...skippedBesideItsReaders(component) },
  {
    name: "a failure ends the run and its sibling",
    components: () => [
      component("bad", {
        action: "flaky",
        with: { retryable: false, message: "broken \u0000 \ud800" },
      }),
      component("sibling", { action: "slow", with: { ms: 60_000 } }),
    ],
    ends: "failed",
    steps: ["bad: failed", "sibling: failed"],
  },
  {
    name: "failures that are taken",
    components: () => [
      component("bad", {
        action: "flaky",
        with: {},
        retry: noRetry,
        next: [to("rescue", "failure"), to("never")],
      }),
      component("rescue", { next: [to("tolerated", "always")] }),
      component("never"),
      component("tolerated", {
        action: "flaky",
        with: {},
        retry: noRetry,
        on_failure: "continue",
        next: [to("anyway", "always"), to("not_this")],
      }),
      component("anyway"),
      component("not_this"),
    ],
    ends: "completed",
    steps: ["bad: failed", "rescue: success", "tolerated: failed", "anyway: success"],
  },
  {
    name: "a retry succeeds",
    components: () => [component("flaky", { action: "flaky", with: { succeed_at: 2 } })],
    ends: "completed",
    steps: ["flaky: success"],
  },
  {
    name: "an attempt times out",
    components: () => [
      component("slow", { action: "slow", with: { ms: 60_000 }, timeout: "1s", retry: noRetry }),
    ],
    ends: "failed",
    steps: ["slow: failed"],
  },
  {
    name: "an unknown action",
    components: () => [component("lost", { action: "no_such_action" })],
    ends: "failed",
    steps: ["lost: failed"],
  },
  {
    name: "an input over the limit",
    input: { text: "x".repeat(600_000) },
    components: () => [
      component("huge", { with: { value: ["${{ input.text }}", "${{ input.text }}"] } }),
    ],
    ends: "failed",
    steps: ["huge: failed"],
  },
  {
    name: "constructor",
    components: () => [component("a")],
    ends: "completed",
    steps: ["a: success"],
  },
  {
    name: "canceled by an operator",
    components: () => [
      component("a", { next: [to("b")] }),
      component("b", { action: "slow", with: { ms: 60_000 } }),
    ],
    operator: { action: "cancel", afterSteps: 2 },
    ends: "canceled",
    steps: ["a: success", "b: failed"],
  },
  {
    name: "terminated by an operator",
    components: () => [
      component("a", { next: [to("b")] }),
      component("b", { action: "slow", with: { ms: 60_000 } }),
    ],
    operator: { action: "terminate", afterSteps: 2 },
    ends: "failed",
    steps: ["a: success", "b: failed"],
  },
  {
    name: "over its timeout",
    timeout: "2s",
    components: () => [component("a", { action: "slow", with: { ms: 60_000 } })],
    ends: "failed",
    steps: ["a: failed"],
  },
  {
    name: "waits",
    components: () => [
      component("short", { action: "wait", with: { duration: "1s" }, next: [to("past")] }),
      component("past", { action: "wait", with: { until: 1_000_000_000 }, next: [to("after")] }),
      component("after", { with: { value: "${{ steps.short.output }}" } }),
    ],
    ends: "completed",
    steps: ["short: success", "past: success", "after: success"],
  },
  {
    name: "a wait that cannot be",
    input: { until: "tomorrow" },
    components: () => [component("bad", { action: "wait", with: { until: "${{ input.until }}" } })],
    ends: "failed",
    steps: ["bad: failed"],
  },
  {
    name: "canceled while it waits",
    components: () => [
      component("a", { next: [to("long")] }),
      component("long", { action: "wait", with: { duration: "10d" } }),
    ],
    operator: { action: "cancel", afterSteps: 2 },
    ends: "canceled",
    steps: ["a: success", "long: failed"],
  },
  {
    name: "the action fail",
    input: { reason: "no budget" },
    components: () => [
      component("stop", {
        action: "fail",
        with: { message: "Stopped: ${{ input.reason }}" },
        on_failure: "continue",
        next: [to("never", "always")],
      }),
      component("never"),
      component("sibling", { action: "wait", with: { duration: "10d" } }),
    ],
    ends: "failed",
    steps: ["stop: failed", "sibling: failed"],
  },
];

/** One run of every shape that a definition can take. */
export const SHAPES: readonly Shape[] = [
  ...PLAIN_SHAPES,
  ...FAN_OUT_SHAPES,
  ...REVIEW_SHAPES,
  ...CHILD_RUN_SHAPES,
  ...LOCAL_SHAPES,
];

/** @throws when no shape has this name */
export function shapeOf(name: string): Shape {
  const shape = SHAPES.find((each) => each.name === name);
  if (shape === undefined) throw new Error(`No shape '${name}'`);
  return shape;
}
