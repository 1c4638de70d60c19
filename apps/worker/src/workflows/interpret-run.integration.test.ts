// What the recorded shapes do not reach: cancellation at odd moments, and starts that are not ours.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { Json } from "@truerun/shared/contracts/json";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import { WorkflowFailedError } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspectRun } from "../mirror/inspect-run.ts";
import { executions } from "../testing/test-components.ts";
import { component, retryEvery } from "../testing/rig-runs.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

test("a run that is canceled while a component waits for its next attempt ends at once", async () => {
  const retry = retryEvery("10m", 3);
  const id = await rig.startRun({
    components: [component("a", { action: "flaky", retry, with: {} })],
  });
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the second attempt to be scheduled", async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.some(({ attempt }) => attempt === 2) ?? false;
  });
  await handle.cancel();
  const ended = await rig.finished(id);
  expect(ended.status).toBe("canceled");
  expect(ended.steps.map(({ status, message }) => [status, message])).toEqual([
    ["failed", "The run was canceled."],
  ]);
});

test("a component that is canceled has time to clean up before its run ends", async () => {
  const count = crypto.randomUUID();
  const id = await rig.startRun({
    components: [component("a", { action: "tidy", with: { cleanUpMs: 3_000, count } })],
  });
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the attempt", async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.some(({ lastStartedTime }) => lastStartedTime != null) ?? false;
  });
  await handle.cancel();
  const ended = await rig.finished(id);
  expect(executions.get(count)).toBe(1);
  expect(ended.status).toBe("canceled");
  expect(ended.steps).toMatchObject([{ status: "failed", message: "The run was canceled." }]);
});

test.each<[string, Json, Json]>([
  ["null", null, null],
  ["an object", { x: 1 }, { x: 1 }],
  ["what looks like an outcome", { status: "weird" }, { status: "weird" }],
  ["what a component gives", { output: [1], artifacts: [] }, [1]],
])(
  "a step that an operator completes has that as its output: %s",
  async (_what, result, output) => {
    const id = await rig.startRun({
      components: [
        component("h", {
          action: "slow",
          with: { ms: 60_000 },
          next: [{ to: "after", on: "success" }],
        }),
        component("after", { with: { value: "${{ steps.h.output }}" } }),
      ],
    });
    await waitFor("Temporal to know the step, and take its completion", async () => {
      await rig.client.activity.complete({ workflowId: id, activityId: "h" }, result);
      return true;
    });
    const ended = await untilConfirmed(rig, id);
    expect(ended.status).toBe("completed");
    expect(ended.steps).toMatchObject([
      { stepKey: "h", status: "success", message: null, output, artifacts: [], attempt: null },
      { stepKey: "after", status: "success", output },
    ]);
    expect(await inspectRun(rig, id)).toMatchObject({ kind: "equal" });
  },
);

test("an action that no worker knows fails at once, whatever its retry policy", async () => {
  const retry = retryEvery("10m", 5);
  const id = await rig.startRun({
    components: [component("a", { action: "no_such_action", retry })],
  });
  const ended = await rig.finished(id);
  expect(ended.errorCode).toBe("component_failed");
  expect(ended.steps).toMatchObject([
    { status: "failed", message: "No worker knows this action." },
  ]);
});

test("a run that is canceled twice before its first task ends canceled, with nothing left open", async () => {
  const components = [component("a", { next: [{ to: "b", on: "success" }] }), component("b")];
  const id = await rig.startRun({ components, dispatch: false });
  const handle = await rig.client.workflow.start("test-workflow", {
    workflowId: id,
    taskQueue: rig.config.TEMPORAL_TASK_QUEUE,
    args: [toEvent(id, components)],
    startDelay: "2s",
  });
  await handle.cancel();
  await handle.cancel();
  const ended = await rig.finished(id);
  expect(ended.status).toBe("canceled");
  expect(ended.steps.every(({ status }) => status === "failed")).toBe(true);
  expect(ended.steps.map(({ stepKey }) => stepKey)).not.toContain("b");
});

test("a workflow that was started with something else fails and says so", async () => {
  const starts = [undefined, null, "x", { event_type: "Workflow.RunRequested" }, { data: {} }];
  for (const argument of starts) {
    const started = rig.client.workflow.execute("test-workflow", {
      workflowId: crypto.randomUUID(),
      taskQueue: rig.config.TEMPORAL_TASK_QUEUE,
      args: [argument],
      workflowExecutionTimeout: "10s",
    });
    const error: unknown = await started.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause?.message).toContain("Start runs through the API");
  }
});

function toEvent(id: string, components: ComponentDefinition[]): RunRequestedEvent {
  const at = Math.floor(Date.now() / 1_000);
  return {
    event_id: "cbevt_1",
    event_type: "Workflow.RunRequested",
    occurred_at: at,
    data: {
      workflow_run_id: id,
      org_id: "cborg_1",
      workflow_name: "test-workflow",
      workflow_definition_id: "cbwd_1",
      definition_version: 1,
      started_at: at,
      input: {},
      definition: { description: "", timeout: "1h", components },
    },
  };
}

test("names and descriptions of control characters neither stop the start nor the run", async () => {
  const odd = "\u0001".repeat(255);
  const id = await rig.startRun({
    name: odd,
    description: '\u0002"'.repeat(5_000),
    components: [
      component("a", { name: odd, next: [{ to: "b", on: "success" }] }),
      component("b", { name: odd, action: "wait", with: { duration: "1s" } }),
      component("c", { name: '\\"'.repeat(127), for_each: [1, 2], max_concurrency: 1 }),
    ],
  });
  const ended = await rig.finished(id);
  expect(ended.status).toBe("completed");
  expect(ended.steps[0]?.componentName).toBe(odd);
});
