// For tests only.
import { type Shape, to } from "./shape.ts";
import { component } from "./rig-runs.ts";

/** Runs of components with `for_each`. */
export const FAN_OUT_SHAPES: readonly Shape[] = [
  {
    name: "for_each",
    input: { list: [{ n: 1 }, {}, { n: 3 }] },
    components: () => [
      component("each", {
        for_each: "${{ input.list }}",
        max_concurrency: 1,
        with: { value: "${{ item.n }} of ${{ index }}" },
        next: [to("after")],
      }),
      component("after", { with: { value: "${{ steps.each.output }}" } }),
    ],
    ends: "completed",
    steps: ["each[0]: success", "each[1]: skipped", "each[2]: success", "after: success"],
  },
  {
    name: "for_each stopped by a failure",
    components: () => [
      component("each", {
        for_each: [{ ms: 60_000 }, { flaky: true }, { ms: 1 }],
        max_concurrency: 2,
        action: "slow_or_bad",
        with: { item: "${{ item }}" },
        next: [to("rescue", "failure")],
      }),
      component("rescue"),
    ],
    ends: "completed",
    steps: ["each[0]: failed", "each[1]: failed", "rescue: success"],
  },
  {
    name: "for_each in batches",
    components: () => [
      component("each", {
        for_each: Array.from({ length: 205 }, (_, n) => ({ flaky: n === 150 })),
        max_concurrency: 150,
        action: "slow_or_bad",
        with: { item: "${{ item }}" },
        on_failure: "continue",
      }),
    ],
    ends: "completed",
    steps: Array.from({ length: 205 }, (_, n) => `each[${n}]: ${n === 150 ? "failed" : "success"}`),
  },
  {
    name: "for_each in batches stopped by a failure",
    components: () => [
      component("each", {
        for_each: Array.from({ length: 101 }, (_, n) =>
          n === 1 ? { flaky: true } : { ms: 60_000 },
        ),
        max_concurrency: 2,
        action: "slow_or_bad",
        with: { item: "${{ item }}" },
      }),
    ],
    ends: "failed",
    steps: ["each[0]: failed", "each[1]: failed"],
  },
  {
    name: "for_each canceled in batches",
    components: () => [
      component("each", {
        for_each: Array.from({ length: 101 }, () => 60_000),
        max_concurrency: 3,
        action: "slow",
        with: { ms: "${{ item }}" },
      }),
    ],
    operator: { action: "cancel", afterSteps: 3 },
    ends: "canceled",
    steps: ["each[0]: failed", "each[1]: failed", "each[2]: failed"],
  },
  {
    name: "for_each over no list",
    input: { list: "x" },
    components: () => [component("each", { for_each: "${{ input.list }}", max_concurrency: 3 })],
    ends: "failed",
    steps: ["each: failed"],
  },
];
