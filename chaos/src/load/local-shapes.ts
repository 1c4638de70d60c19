import { each, effect, forEach, items, localEffect, type Shape } from "./shape.ts";

const LOCAL = ["before", "slow", "flaky", ...items("item", 12), "beside", "after"];

/** Steps that share workflow tasks, and among them one that does not. */
export const insideOfTasks: Shape = {
  name: "inside of workflow tasks",
  weight: 5,
  definition: {
    components: [
      localEffect("before", "ok", { next: ["slow", "beside", "outside"] }),
      localEffect("slow", "slow/700", { next: ["flaky"] }),
      localEffect("flaky", "flaky/2", { next: ["item"] }),
      localEffect("item", "ok", { next: ["after"], more: forEach(12, 4) }),
      localEffect("beside", "slow/300"),
      effect("outside", "ok", { next: ["after"] }),
      localEffect("after", "ok"),
    ],
  },
  ends: "completed",
  steps: each([...LOCAL, "outside"], "success"),
  effects: { ...each([...LOCAL, "outside"], 1), flaky: 3 },
  local: LOCAL,
};
