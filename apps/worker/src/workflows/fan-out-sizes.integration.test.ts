// Fan-outs whose items are large, alone or together.
import { uniqueName } from "@truerun/dev/testing/test-services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { untilConfirmed } from "../testing/walk-once.ts";
import { parseExternalComponent } from "../external/external-component.ts";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

/** Nobody serves it, and it takes no input at all. */
const strict = parseExternalComponent({
  action_type: "strict",
  title: "Strict",
  description: "For tests",
  task_queue: uniqueName("nobody"),
  input_schema: { type: "object", maxProperties: 0 },
  output_schema: { type: "object" },
});

let rig: WorkerRig;

beforeAll(async () => {
  rig = await createWorkerRig({ externalComponents: new Map([[strict.action, strict]]) });
});

afterAll(() => rig.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test("items that the engine does itself need no room for their inputs", async () => {
  const id = await rig.startRun({
    input: { text: "x".repeat(300_000) },
    components: [
      component("each", {
        for_each: range(20),
        max_concurrency: 20,
        action: "wait",
        with: { duration: "${{ input.text }}" },
        on_failure: "continue",
      }),
    ],
  });
  const run = await rig.finished(id);
  expect(run.status).toBe("completed");
  expect(run.steps).toHaveLength(20);
  expect(run.steps[0]?.message?.length).toBeLessThan(2_000);
});

test("batches that start together wait for room", async () => {
  const id = await rig.startRun({
    input: { text: "x".repeat(10_000) },
    components: range(3).map((n) =>
      component(`each_${n}`, {
        for_each: range(200),
        max_concurrency: 200,
        action: "measure",
        with: { value: "${{ input.text }}" },
      }),
    ),
  });
  const run = await rig.finished(id);
  expect(run.errorMessage).toBeNull();
  expect(run.steps.filter(({ status }) => status === "success")).toHaveLength(600);
});

test("items that fail before they are scheduled leave their room to the next", async () => {
  const id = await rig.startRun({
    input: { text: "x".repeat(600_000) },
    components: [
      component("each", {
        for_each: range(8),
        max_concurrency: 8,
        action: strict.action,
        task_queue: strict.taskQueue,
        with: { text: "${{ input.text }}" },
        on_failure: "continue",
      }),
    ],
  });
  const run = await rig.finished(id);
  expect(run.status).toBe("completed");
  expect(run.steps.map(({ status }) => status)).toEqual(range(8).map(() => "failed"));
});

describe.each([
  ["inline", 100],
  ["in batches", 150],
])("what outgrows its run's history: items %s", (_name, count) => {
  test("fails with a step that says so", async () => {
    const id = await rig.startRun({
      input: { text: "x".repeat(600_000) },
      components: [
        component("each", {
          for_each: range(count),
          max_concurrency: 3,
          action: "measure",
          with: { value: "${{ input.text }}" },
          on_failure: "continue",
          next: [{ to: "after", on: "success" }],
        }),
        component("after"),
      ],
    });
    // Beside other tests, 30 MB take their time.
    const run = await rig.finished(id, 100_000);
    // The run goes on, as on_failure asks; but not as after a success, to `after`.
    expect(run).toMatchObject({ status: "completed", errorMessage: null });
    const own = run.steps.find(({ stepKey }) => stepKey === "each");
    expect(own?.message).toMatch(
      /^The run's history has \d+ bytes; nothing more is started above 33554432\.$/,
    );
    expect(own?.status).toBe("failed");
    expect(run.steps.map(({ stepKey }) => stepKey)).not.toContain("after");
    expect(run.steps.filter(({ status }) => status === null)).toEqual([]);
  });
});

test("outputs that are too large together for what was under way end the run, and its row says so", async () => {
  const id = await rig.startRun({
    components: range(70).map((n) =>
      component(`large_${n}`, { action: "produce", with: { size: 1_000_000 } }),
    ),
  });
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("Temporal to end it", async () => (await handle.describe()).closeTime, 80_000);
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "failed", errorCode: "workflow_terminated" });
  expect(run.errorMessage).toMatch(/^The run was terminated in Temporal: .*history size/i);
  expect(run.steps).toHaveLength(70);
  expect(run.steps.filter(({ status }) => status === null)).toEqual([]);
});
