// For tests only.
import { component, local, retryEvery } from "./rig-runs.ts";
import { type Shape, skippedBesideItsReaders, to } from "./shape.ts";

/** Runs of steps inside their workflow tasks. */
export const LOCAL_SHAPES: readonly Shape[] = [
  {
    name: "a local sequence",
    components: () => [
      local("a", { next: [to("b")] }),
      local("b", { with: { value: "${{ steps.a.output }}" }, next: [to("c")] }),
      local("c", { action: "touch", with: { id: "${{ steps.b.output }}" } }),
    ],
    ends: "completed",
    steps: ["a: success", "b: success", "c: success"],
  },
  {
    name: "local steps side by side",
    components: () => [
      local("start", { next: [to("quick"), to("slow"), to("bad"), to("regular")] }),
      local("quick", { next: [to("join")] }),
      local("slow", { action: "slow", with: { ms: 40 }, next: [to("join")] }),
      local("bad", {
        action: "flaky",
        with: {},
        retry: retryEvery("1s", 1),
        next: [to("join", "failure")],
      }),
      component("regular", { next: [to("join")] }),
      local("join", { with: { value: "${{ steps.slow.output }}" } }),
    ],
    ends: "completed",
    steps: [
      "start: success",
      "regular: success",
      "quick: success",
      "slow: success",
      "bad: failed",
      "join: success",
    ],
  },
  { name: "the status of a local step just skipped", ...skippedBesideItsReaders(local) },
  {
    name: "a local attempt times out",
    components: () => [
      local("slow", {
        action: "slow",
        with: { ms: 60_000 },
        timeout: "1s",
        retry: retryEvery("1s", 2),
      }),
    ],
    ends: "failed",
    steps: ["slow: failed"],
  },
  {
    name: "a local unknown action",
    components: () => [local("lost", { action: "no_such_action" })],
    ends: "failed",
    steps: ["lost: failed"],
  },
  {
    name: "local results too large for their task",
    components: () => [
      local("big", { action: "produce", with: { size: 300_000 }, next: [to("again")] }),
      local("again", { with: { value: "${{ steps.big.output }}" } }),
    ],
    ends: "completed",
    steps: ["big: success", "again: success"],
  },
  {
    name: "a failure leaves local siblings no turn",
    components: () => [
      local("bad", { action: "flaky", with: { retryable: false } }),
      local("sibling", { action: "slow", with: { ms: 4_000 } }),
    ],
    ends: "failed",
    steps: ["bad: failed"],
  },
  {
    name: "local canceled by an operator",
    components: () => [
      local("a", { next: [to("b")] }),
      local("b", { action: "flaky", with: {}, retry: retryEvery("1s", 100) }),
    ],
    operator: { action: "cancel", afterSteps: 2 },
    ends: "canceled",
    steps: ["a: success", "b: failed"],
  },
  {
    name: "local for_each",
    input: { list: [{ n: 1 }, {}, { n: 3 }] },
    components: () => [
      local("each", {
        for_each: "${{ input.list }}",
        max_concurrency: 2,
        with: { value: "${{ item.n }} of ${{ index }}" },
        next: [to("after")],
      }),
      local("after", { with: { value: "${{ steps.each.output }}" } }),
    ],
    ends: "completed",
    steps: ["each[1]: skipped", "each[0]: success", "each[2]: success", "after: success"],
  },
  {
    name: "local for_each in batches",
    components: () => [
      local("each", {
        for_each: Array.from({ length: 103 }, (_, n) => ({ flaky: n === 50 })),
        max_concurrency: 50,
        action: "slow_or_bad",
        with: { item: "${{ item }}" },
        on_failure: "continue",
      }),
    ],
    ends: "completed",
    steps: Array.from({ length: 103 }, (_, n) => `each[${n}]: ${n === 50 ? "failed" : "success"}`),
  },
  {
    name: "a local step is tried again outside of its task",
    components: () => [
      local("before", { next: [to("flaky")] }),
      local("flaky", {
        action: "flaky",
        with: { succeed_at: 3 },
        retry: retryEvery("1s", 5),
        next: [to("after")],
      }),
      local("after"),
    ],
    ends: "completed",
    steps: ["before: success", "flaky: success", "after: success"],
  },
  {
    name: "a local item of a batch is tried again outside of its task",
    components: () => [
      local("each", {
        for_each: Array.from({ length: 103 }, (_, n) => (n === 50 ? 2 : 1)),
        max_concurrency: 50,
        action: "flaky",
        with: { succeed_at: "${{ item }}" },
        retry: retryEvery("1s", 2),
      }),
    ],
    ends: "completed",
    steps: Array.from({ length: 103 }, (_, n) => `each[${n}]: success`),
  },
  {
    name: "a local sequence over several tasks",
    components: () =>
      Array.from({ length: 4 }, (_, n) =>
        local(`s${n}`, {
          action: "slow",
          with: { ms: 1_300 },
          next: n < 3 ? [to(`s${n + 1}`)] : [],
        }),
      ),
    ends: "completed",
    steps: ["s0: success", "s1: success", "s2: success", "s3: success"],
  },
];
