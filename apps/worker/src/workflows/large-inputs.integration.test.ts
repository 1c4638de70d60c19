// Small definitions that refer to a large input so often that a workflow task must not look at it each time.
import type { ComponentDefinition, Condition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component, local } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

const STEPS = 499;
/** 0.95 MB. */
const LARGE: JsonObject = { list: Array.from({ length: 95_000 }, (_, n) => `s${n % 10}${n}`) };
const LARGE_BYTES = JSON.stringify(LARGE).length;

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

/** Runs it next to a run of one step, which must not have to wait for it. */
async function runBesides(components: ComponentDefinition[]) {
  const id = await rig.startRun({ input: LARGE, components });
  const other = await rig.startRun({ components: [component("a")] });
  const [run, beside] = await Promise.all([rig.finished(id, 60_000), rig.finished(other, 30_000)]);
  expect(beside.status).toBe("completed");
  return run;
}

const exists: Condition = { path: "input.list", op: "exists" };

test.each<[string, Condition, string]>([
  ["one that holds", exists, "success"],
  ["one that does not", { path: "input.list", op: "contains", value: 1 }, "skipped"],
])("conditions on a large list: %s for each step", async (_name, when, status) => {
  const keys = Array.from({ length: STEPS }, (_, n) => `k${n}`);
  const run = await runBesides([
    local("first", { next: keys.map((to) => ({ to, on: "success", when })) }),
    ...keys.map((key) => component(key, { action: "wait", with: { duration: "1s" } })),
  ]);
  expect(run.status).toBe("completed");
  expect(run.steps.slice(1).map((step) => step.status)).toEqual(keys.map(() => status));
});

test("conditions on a large list: thousands for one step", async () => {
  const when = { all: Array.from({ length: 250 }, () => exists) };
  const edge = { to: "last", on: "success", when } as const;
  const run = await runBesides([
    component("first", { next: Array.from({ length: 12 }, () => edge) }),
    component("last"),
  ]);
  expect(run.steps.map(({ status }) => status)).toEqual(["success", "success"]);
});

test("a `with` that multiplies a large input", async () => {
  const run = await runBesides([
    component("values", {
      with: { value: Array.from({ length: 600 }, () => "${{ input }}") },
      on_failure: "continue",
    }),
    component("text", { with: { value: "${{ input }} ".repeat(600) }, on_failure: "continue" }),
    component("items", {
      for_each: Array.from({ length: 50 }, () => "${{ input }}"),
      with: { value: "${{ item }}${{ item }}" },
      on_failure: "continue",
    }),
  ]);
  const messages = new Map(run.steps.map(({ stepKey, message }) => [stepKey, message]));
  const tooLarge = (bytes: number) =>
    `The component's resolved input has ${bytes} bytes; 1048576 are the most.`;
  expect(messages.get("values")).toBe(
    tooLarge('{"value":[]}'.length + 600 * (LARGE_BYTES + 1) - 1),
  );
  const inText = JSON.stringify(JSON.stringify(LARGE)).length - 2;
  expect(messages.get("text")).toBe(tooLarge('{"value":""}'.length + 600 * (inText + 1)));
  expect(messages.get("items[49]")).toBe(tooLarge('{"value":""}'.length + 2 * inText));
});

test.each([
  // What does fit is no text, as the action wants one: it fails by itself.
  ["${{ input }}", STEPS - 2, /^The components that start together have inputs of over/],
  ["x${{ input }}", STEPS, /^The component's resolved input has \d+ bytes/],
])("many components that each take a large input: %s", async (value, refused, reason) => {
  const run = await runBesides(
    Array.from({ length: STEPS }, (_, n) =>
      component(`k${n}`, { action: "measure", with: { value }, on_failure: "continue" }),
    ),
  );
  expect(run.status).toBe("completed");
  expect(run.steps.filter(({ message }) => reason.test(message ?? ""))).toHaveLength(refused);
});
