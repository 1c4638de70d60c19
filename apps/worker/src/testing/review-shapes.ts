// For tests only.
import { mostlyNothing, type Shape, stepsOfMostlyNothing, to } from "./shape.ts";
import { component } from "./rig-runs.ts";

const decided = (key: string, decision: string) => ({
  ...to(key),
  when: { path: "steps.review.output.decision", op: "eq" as const, value: decision },
});

/** Runs in which people are asked. */
export const REVIEW_SHAPES: readonly Shape[] = [
  {
    name: "a review that is answered",
    components: () => [
      component("review", {
        action: "wait_for_review",
        with: { prompt: "May ${{ run.workflow_name }} go on?", timeout: "10d" },
        next: [decided("good", "approve"), decided("bad", "reject")],
      }),
      component("good"),
      component("bad", { with: { value: "${{ steps.review.output.comment }}" } }),
    ],
    operator: {
      action: "answer",
      afterSteps: 1,
      answer: { step_key: "review", decision: "reject", comment: "\u0000 \ud800", decided_by: "k" },
    },
    ends: "completed",
    steps: ["review: success", "good: skipped", "bad: success"],
  },
  {
    name: "reviews without a timeout",
    components: () => [
      component("first", { with: { value: 1 }, next: [to("review")] }),
      component("review", { action: "wait_for_review", with: {}, next: [to("after")] }),
      component("after"),
    ],
    operator: {
      action: "answer",
      afterSteps: 2,
      answer: { step_key: "review", decision: "approve", comment: null, decided_by: "k" },
    },
    ends: "completed",
    steps: ["first: success", "review: success", "after: success"],
  },
  {
    name: "reviews that time out",
    components: () => [
      component("approved", {
        action: "wait_for_review",
        with: { timeout: "1s", on_timeout: "approve" },
        next: [to("rejected")],
      }),
      component("rejected", {
        action: "wait_for_review",
        with: { timeout: "1s", on_timeout: "reject", prompt: '"\\'.repeat(300) },
        next: [to("failed")],
      }),
      component("failed", { action: "wait_for_review", with: { timeout: "1s" } }),
    ],
    ends: "failed",
    steps: ["approved: success", "rejected: success", "failed: failed"],
  },
  {
    name: "reviews of some items in batches",
    components: () => [
      component("each", {
        action: "wait_for_review",
        for_each: mostlyNothing({ prompt: "Well?" }),
        max_concurrency: 5,
        with: { prompt: "${{ item.prompt }}", timeout: "1s", on_timeout: "approve" },
      }),
    ],
    ends: "completed",
    steps: stepsOfMostlyNothing("each"),
  },
  {
    name: "canceled while it waits for a review",
    components: () => [component("review", { action: "wait_for_review", with: {} })],
    operator: { action: "cancel", afterSteps: 1 },
    ends: "canceled",
    steps: ["review: failed"],
  },
  {
    name: "terminated while it waits for a review",
    components: () => [component("review", { action: "wait_for_review", with: {} })],
    operator: { action: "terminate", afterSteps: 1 },
    ends: "failed",
    steps: ["review: failed"],
  },
  {
    name: "a review that cannot be",
    input: { timeout: 5 },
    components: () => [
      component("review", {
        action: "wait_for_review",
        with: { timeout: "${{ input.timeout }}" },
      }),
    ],
    ends: "failed",
    steps: ["review: failed"],
  },
];
