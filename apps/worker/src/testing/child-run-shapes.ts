// For tests only.
import { mostlyNothing, type Shape, stepsOfMostlyNothing, to } from "./shape.ts";
import { component } from "./rig-runs.ts";

const runs = (name: string, input: Record<string, string> = {}) => ({
  action: "run_workflow",
  with: { workflow_name: name, input },
});

/** Runs that start others. */
export const CHILD_RUN_SHAPES: readonly Shape[] = [
  {
    name: "runs a workflow",
    input: { who: "vendor" },
    components: () => [
      component("run", { ...runs("greet", { name: "${{ input.who }}" }), next: [to("after")] }),
      component("after", { with: { value: "${{ steps.run.output.status }}" } }),
    ],
    others: { greet: () => [component("hello", { with: { value: "${{ input.name }}" } })] },
    ends: "completed",
    steps: ["run: success", "after: success"],
  },
  {
    name: "runs a workflow without waiting",
    components: () => [
      component("run", {
        action: "run_workflow",
        with: { workflow_name: "long", wait: false },
        next: [to("after")],
      }),
      component("after", { with: { value: "${{ steps.run.output.status }}" } }),
    ],
    others: { long: () => [component("wait", { action: "wait", with: { duration: "2s" } })] },
    ends: "completed",
    steps: ["run: success", "after: success"],
  },
  {
    name: "runs a workflow that fails",
    components: () => [
      component("run", { ...runs("bad"), next: [to("rescue", "failure")] }),
      component("rescue"),
    ],
    others: { bad: () => [component("stop", { action: "fail", with: { message: "no budget" } })] },
    ends: "completed",
    steps: ["run: failed", "rescue: success"],
  },
  {
    name: "runs a workflow that is not there",
    components: () => [component("run", runs("nowhere"))],
    ends: "failed",
    steps: ["run: failed"],
  },
  {
    name: "runs a workflow for each item",
    components: () => [
      component("each", {
        ...runs("one", { name: "${{ item }}" }),
        for_each: ["a", "b", "c"],
        max_concurrency: 2,
        next: [to("after")],
      }),
      component("after", { with: { value: "${{ steps.each.output }}" } }),
    ],
    others: { one: () => [component("hello", { with: { value: "${{ input.name }}" } })] },
    ends: "completed",
    steps: ["each[0]: success", "each[1]: success", "each[2]: success", "after: success"],
  },
  {
    name: "runs workflows side by side",
    components: () => [
      component("one", { ...runs("hello"), next: [to("after")] }),
      component("two", { ...runs("hello"), next: [to("after")] }),
      component("three", { ...runs("hello"), next: [to("after")] }),
      component("after"),
    ],
    others: { hello: () => [component("hello")] },
    ends: "completed",
    steps: ["one: success", "two: success", "three: success", "after: success"],
  },
  {
    name: "runs a workflow for some items in batches",
    components: () => [
      component("each", {
        ...runs("one", { name: "${{ item.name }}" }),
        for_each: mostlyNothing({ name: "a" }),
        max_concurrency: 5,
      }),
    ],
    others: { one: () => [component("hello", { with: { value: "${{ input.name }}" } })] },
    ends: "completed",
    steps: stepsOfMostlyNothing("each"),
  },
  {
    name: "canceled while a child run is under way",
    components: () => [component("run", runs("long"))],
    others: { long: () => [component("wait", { action: "wait", with: { duration: "10d" } })] },
    operator: { action: "cancel", afterSteps: 1 },
    ends: "canceled",
    steps: ["run: failed"],
  },
  {
    name: "terminated while a child run is under way",
    components: () => [component("run", runs("long"))],
    others: { long: () => [component("wait", { action: "wait", with: { duration: "10d" } })] },
    operator: { action: "terminate", afterSteps: 1 },
    ends: "failed",
    steps: ["run: failed"],
  },
];
