import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { newId } from "@truerun/shared/ids";
import { temporalAddress, uniqueName } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  completeRun,
  createHandWorker,
  scheduleActivity,
  startChild,
} from "../testing/hand-worker.ts";
import { defineWorkflow, insertRun, insertStep } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
let temporal: TemporalClient;
beforeAll(async () => {
  rig = await createTestRig();
  temporal = createTemporalClient({
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: "default",
  });
});
afterAll(async () => {
  await temporal.close();
  await rig.close();
});

const STEP_KEYS = [
  "reason",
  "message",
  "since",
  "until",
  "attempt",
  "max_attempts",
  "next_attempt_at",
  "last_failure",
];
const RUN_KEYS = ["state", "message", "since", "attempt", "last_failure"];
const NULLS = {
  until: null,
  attempt: null,
  max_attempts: null,
  next_attempt_at: null,
  last_failure: null,
};

interface Step {
  status: string | null;
  details?: { key: string };
  pending: Record<string, unknown> | null;
}

async function read(id: string, query = "?include=pending") {
  const path = `/v1/workflows/runs/${id}${query}`;
  const answer = await rig.gateways[0].send("GET", path, { key: rig.org.plainKey });
  expect(answer.status, answer.text).toBe(200);
  return { ...answer, ...(answer.json as { pending: Record<string, unknown>; steps: Step[] }) };
}

const now = () => Date.now() / 1_000;

/** A run that Temporal has, on a task queue of its own, with one open step for each key. */
async function startRun(stepKeys: readonly string[] = []) {
  const id = await insertRun(rig, await defineWorkflow(rig));
  for (const [ordinal, stepKey] of stepKeys.entries()) {
    await insertStep(rig, id, { ordinal, status: null, stepKey });
  }
  const taskQueue = uniqueName("pending");
  await temporal.client.workflow.start("hand-made", { workflowId: id, taskQueue });
  return { id, taskQueue, worker: createHandWorker(temporal.client, taskQueue) };
}

describe("a step without a result", () => {
  test("runs, waits for its next attempt, or has nobody to run it", async () => {
    const { id, taskQueue, worker } = await startRun(["runs", "retries", "nobody"]);
    const nobody = uniqueName("nobody");
    await insertStep(rig, id, { ordinal: 9, status: "success", stepKey: "done" });
    await worker.decide([scheduleActivity("retries", { taskQueue, maximumAttempts: 3 })]);
    await worker.failActivity(await worker.takeActivity(), "no luck today");
    await temporal.client.workflow.getHandle(id).signal("again");
    await worker.decide([
      scheduleActivity("runs", { taskQueue, maximumAttempts: 0 }),
      scheduleActivity("nobody", { taskQueue: nobody }),
    ]);
    await worker.takeActivity();
    const { steps, pending } = await read(id);
    const [runs, retries, none, done] = steps;
    expect(Object.keys(runs?.pending ?? {})).toEqual(STEP_KEYS);
    expect(runs?.pending).toEqual({
      ...NULLS,
      reason: "running",
      message: "Attempt 1 is running.",
      since: expect.closeTo(now(), -1),
      attempt: 1,
    });
    expect(retries?.pending).toEqual({
      ...NULLS,
      reason: "retrying",
      message: "Attempt 2 of 3 waits for its time after a failure.",
      since: expect.closeTo(now(), -1),
      attempt: 2,
      max_attempts: 3,
      next_attempt_at: expect.closeTo(now() + 60, -1),
      last_failure: "no luck today",
    });
    expect(none?.pending).toMatchObject({
      reason: "no_worker",
      message: `Attempt 1 of 5 is due, and no worker takes work from task queue '${nobody}'.`,
      since: expect.closeTo(now(), -1),
      attempt: 1,
    });
    expect(done).toMatchObject({ status: "success", pending: null });
    expect(Object.keys(pending)).toEqual(RUN_KEYS);
    expect(pending).toMatchObject({ state: "running", since: null });
  });

  test("waits for a free worker, or until somebody unpauses it", async () => {
    const { id, taskQueue, worker } = await startRun(["first", "second"]);
    await worker.decide([
      scheduleActivity("first", { taskQueue }),
      scheduleActivity("second", { taskQueue }),
    ]);
    const taken = await worker.takeActivity();
    const [first, second] = taken.activityId === "first" ? [0, 1] : [1, 0];
    const before = await read(id);
    expect(before.steps[first]?.pending).toMatchObject({ reason: "running" });
    expect(before.steps[second]?.pending).toMatchObject({ reason: "queued", attempt: 1 });
    await temporal.client.workflowService.pauseActivity({
      namespace: "default",
      execution: { workflowId: id },
      id: second === 1 ? "second" : "first",
    });
    expect((await read(id)).steps[second]?.pending).toMatchObject({ reason: "paused" });
  });

  test("of a batch has what the batch says", async () => {
    const { id, taskQueue, worker } = await startRun(["send[0]", "send[150]"]);
    await worker.decide([startChild(`${id}/1`, taskQueue)]);
    // The child's task, and the parent's task that reports the start, come in either order.
    const tasks = [await worker.takeWorkflowTask(), await worker.takeWorkflowTask()];
    for (const { taskToken, workflowExecution } of tasks) {
      const isBatch = workflowExecution?.workflowId !== id;
      const commands = isBatch ? [scheduleActivity("send[150]", { taskQueue })] : [];
      await temporal.client.workflowService.respondWorkflowTaskCompleted({
        namespace: "default",
        taskToken,
        commands,
      });
    }
    await worker.failActivity(await worker.takeActivity(), "not this one");
    const { steps } = await read(id);
    expect(steps[0]?.pending).toMatchObject({ reason: "recording" });
    expect(steps[1]?.pending).toMatchObject({ reason: "retrying", last_failure: "not this one" });
  });

  test("waits for a time, a review or another run, whatever Temporal says", async () => {
    const { name, definitionId } = await defineWorkflow(rig);
    const [wait, open, review] = [newId("cbwc"), newId("cbwc"), newId("cbwc")];
    const components = [
      { id: wait, key: "wait", with: { duration: "90s" } },
      { id: open, key: "open", with: { duration: "${{ input.pause }}" } },
      { id: review, key: "review", with: { prompt: "?", timeout: "2h" } },
    ];
    await rig.db.workflowDefinitionVersion.update({
      where: { definitionId_version: { definitionId, version: 1 } },
      data: { document: { description: "", timeout: "1h", components } },
    });
    const id = await insertRun(rig, { name, definitionId });
    const createdAt = new Date(1_800_000_000_000);
    const steps = [
      { stepKey: "wait", componentId: wait, actionType: "wait" },
      { stepKey: "open", componentId: open, actionType: "wait" },
      { stepKey: "review", componentId: review, actionType: "wait_for_review" },
      { stepKey: "child", actionType: "run_workflow" },
    ];
    for (const [ordinal, step] of steps.entries()) {
      await insertStep(rig, id, { ordinal, status: null, createdAt, ...step });
    }
    const since = 1_800_000_000;
    expect((await read(id)).steps.map((step) => step.pending)).toMatchObject([
      { reason: "timer", since, until: since + 90 },
      { reason: "timer", since, until: null },
      { reason: "review", since, until: since + 7_200 },
      { reason: "child_run", since, until: null },
    ]);
  });
});

describe("an open run", () => {
  test("that Temporal has not taken is undispatched, Temporal silent or not", async () => {
    const id = await insertRun(rig, await defineWorkflow(rig), { dispatchedAt: null });
    const asked = (await read(id)).pending;
    expect(asked).toEqual({
      state: "undispatched",
      message: "Temporal has not taken the run yet.",
      since: expect.closeTo(now(), -1),
      attempt: null,
      last_failure: null,
    });
    rig.temporalProxy.freeze();
    const silent = (await read(id)).pending;
    rig.temporalProxy.restore();
    expect(silent).toMatchObject({ state: "undispatched", since: asked["since"] });
  });

  test("whose task queue nobody polls has no worker", async () => {
    const { id } = await startRun();
    expect((await read(id)).pending).toMatchObject({
      state: "no_worker",
      since: expect.closeTo(now(), -1),
      attempt: 1,
    });
  });

  test("whose only worker is gone has no worker soon, though Temporal still lists it", async () => {
    const { id, taskQueue, worker } = await startRun();
    await worker.decide([]);
    await temporal.client.workflow.getHandle(id).signal("more to do");
    await waitFor("no worker", async () => (await read(id)).pending["state"] === "no_worker");
    const { pollers } = await temporal.client.workflowService.describeTaskQueue({
      namespace: "default",
      taskQueue: { name: taskQueue },
      taskQueueType: 1,
    });
    expect(pollers).toHaveLength(1);
  });

  test("whose workflow task fails again and again is stuck, and says why", async () => {
    const { id, worker } = await startRun(["never"]);
    for (const _ of [1, 2]) await worker.failWorkflowTask("interpreter broken");
    const pending = await waitFor("the third attempt", async () => {
      const run = await read(id);
      return run.pending["state"] === "stuck" && run.pending;
    });
    expect(pending).toMatchObject({
      since: expect.closeTo(now(), -1),
      attempt: 3,
      last_failure: "interpreter broken",
    });
  });

  test("that was asked to stop, or has stopped unrecorded, says so", async () => {
    const { id, worker } = await startRun(["step"]);
    await worker.decide([]);
    await temporal.client.workflow.getHandle(id).cancel();
    expect((await read(id)).pending).toMatchObject({ state: "canceling" });
    await worker.decide([completeRun]);
    const { pending, steps } = await read(id);
    expect(pending).toMatchObject({ state: "recording" });
    expect(steps[0]?.pending).toMatchObject({ reason: "recording" });
  });

  test("that Temporal has lost is unknown", async () => {
    const id = await insertRun(rig, await defineWorkflow(rig));
    expect((await read(id)).pending).toMatchObject({
      state: "unknown",
      message: "Temporal does not have the run any more.",
    });
  });

  test.each(["freeze", "cut"] as const)(
    "is answered from the tables within 3 s when Temporal's link is: %s",
    async (fault) => {
      const { id, taskQueue, worker } = await startRun(["step"]);
      await worker.decide([scheduleActivity("step", { taskQueue })]);
      rig.temporalProxy[fault]();
      const startedAt = performance.now();
      const { pending, steps } = await read(id).finally(() => rig.temporalProxy.restore());
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      expect(pending).toMatchObject({ state: "unknown" });
      expect(Object.keys(steps[0]?.pending ?? {})).toEqual(STEP_KEYS);
      expect(steps[0]?.pending).toMatchObject({ reason: "unknown", attempt: null });
    },
  );
});

test("a run that has ended is pending in nothing, and Temporal is not asked", async () => {
  const completedAt = new Date();
  const run = { status: "completed", completedAt };
  const id = await insertRun(rig, await defineWorkflow(rig), run);
  await insertStep(rig, id, { ordinal: 1, status: "success" });
  rig.temporalProxy.freeze();
  const startedAt = performance.now();
  const { json, steps } = await read(id).finally(() => rig.temporalProxy.restore());
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(json["pending"]).toBeNull();
  expect(steps.map((step) => step.pending)).toEqual([null]);
});

test("stands beside everything else that may be included, and nowhere unasked", async () => {
  const id = await insertRun(rig, await defineWorkflow(rig), { dispatchedAt: null });
  await insertStep(rig, id, { ordinal: 1, status: null });
  const all = await read(id, "?include=pending,input,error,details");
  expect(Object.keys(all.json).slice(-4)).toEqual(["steps", "input", "error", "pending"]);
  expect(Object.keys(all.steps[0] ?? {}).slice(-2)).toEqual(["details", "pending"]);
  expect(all.steps[0]?.details?.key).toBe("step_1");
  const none = await read(id, "?include=details");
  expect(none.json).not.toHaveProperty("pending");
  expect(none.steps[0]).not.toHaveProperty("pending");
});
