import { component, each, effect, type Shape } from "./shape.ts";

export const waits: Shape = {
  name: "waits",
  weight: 3,
  definition: {
    components: [
      effect("before", "ok", { next: ["pause"] }),
      component("pause", { next: ["after"], more: { action: "wait", with: { duration: "3s" } } }),
      effect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: each(["before", "pause", "after"], "success"),
  effects: each(["before", "after"], 1),
};

/** Answered by whoever reads the run or, if nobody gets to it, by its timeout. */
export const review: Shape = {
  name: "a review",
  weight: 2,
  definition: {
    components: [
      effect("before", "ok", { next: ["review"] }),
      component("review", {
        next: [
          {
            to: "approved",
            when: { path: "steps.review.output.decision", op: "eq", value: "approve" },
          },
        ],
        more: { action: "wait_for_review", with: { timeout: "15s", on_timeout: "approve" } },
      }),
      effect("approved", "ok"),
    ],
  },
  ends: "completed",
  steps: each(["before", "review", "approved"], "success"),
  effects: each(["before", "approved"], 1),
};

/** Stands still once all others have ended: what a dead worker did not write stays missing unless it is found. */
export const staysOpen: Shape = {
  name: "stays open",
  weight: 1,
  definition: {
    components: [
      effect("before", "ok", { next: ["pause"] }),
      component("pause", { next: ["never"], more: { action: "wait", with: { duration: "30d" } } }),
      effect("never", "ok"),
    ],
  },
  ends: "started",
  steps: { before: "success", pause: null },
  effects: { before: 1 },
};
