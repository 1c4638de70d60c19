// What an operator does in Temporal to a run whose items run in batches, or to one of the batches.
import { WorkflowNotFoundError } from "@temporalio/client";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resetToLastTask } from "../testing/reset-to-last-task.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { inspectRun } from "./inspect-run.ts";
import { projectRun } from "./project-history.ts";

let rig: WorkerRig;

beforeAll(async () => {
  rig = await createWorkerRig();
});

afterAll(() => rig.close());

const COUNT = 120;
const indexes = Array.from({ length: COUNT }, (_, index) => index);

/** Starts a run of two batches and waits until the second has something under way. @param last - comes after them */
async function startInSecondBatch(
  onFailure: "fail_run" | "continue" = "fail_run",
  last?: ComponentDefinition,
): Promise<string> {
  const id = await rig.startRun({
    input: { items: indexes.map((index) => ({ ms: index < 110 ? 1 : 60_000 })) },
    components: [
      component("each", {
        for_each: "${{ input.items }}",
        max_concurrency: 50,
        action: "slow",
        with: { ms: "${{ item.ms }}" },
        on_failure: onFailure,
        next: last === undefined ? [] : [{ to: last.key, on: "always" }],
      }),
      ...(last === undefined ? [] : [last]),
    ],
  });
  await waitFor("all items under way or done", async () => {
    const { steps } = await rig.getRun(id);
    return steps.length === COUNT && steps.filter(({ status }) => status === null).length === 10;
  });
  return id;
}

async function secondBatchOf(id: string): Promise<{ id: string; temporalRunId: string }> {
  const query = `WorkflowId STARTS_WITH "${id}/each[100-119]/" AND ExecutionStatus = "Running"`;
  return await waitFor("the second batch in visibility", async () => {
    for await (const { workflowId, runId } of rig.client.workflow.list({ query })) {
      return { id: workflowId, temporalRunId: runId };
    }
    return false;
  });
}

function outcomesOf(run: RunRow): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, message } of run.steps) {
    const outcome = message === null ? String(status) : `${status}: ${message}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** The rows are what the histories say. */
async function expectExact(run: RunRow): Promise<void> {
  const projection = await projectRun(rig, run.id, run.temporalRunId ?? "");
  expect(run.steps.map(({ stepKey, digest }) => [stepKey, Number(digest)])).toEqual(
    projection.steps.map(({ step_key, digest }) => [step_key, digest]),
  );
}

test("a terminated run ends with what its batches had recorded", async () => {
  const id = await startInSecondBatch();
  await rig.client.workflow.getHandle(id).terminate("enough");
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "failed", errorCode: "workflow_terminated" });
  expect(outcomesOf(run)).toEqual({
    success: 110,
    "failed: The run was terminated in Temporal: enough": 10,
  });
  await expectExact(run);
});

test("a terminated batch fails its run; what it had done stays told", async () => {
  const id = await startInSecondBatch();
  const batch = await secondBatchOf(id);
  await rig.client.workflow.getHandle(batch.id).terminate("enough");
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({
    status: "failed",
    errorMessage: "Component 'each' failed: Items [100-119] are lost: Terminated",
  });
  expect(outcomesOf(run)).toEqual({
    success: 110,
    "failed: The step's batch was ended in Temporal.": 10,
  });
  await expectExact(run);
});

test("a run that goes on past failures goes on past a terminated batch", async () => {
  const id = await startInSecondBatch("continue");
  const batch = await secondBatchOf(id);
  await rig.client.workflow.getHandle(batch.id).terminate();
  const run = await untilConfirmed(rig, id);
  expect(run.status).toBe("completed");
  expect(outcomesOf(run)).toMatchObject({ success: 110 });
  await expectExact(run);
});

test("a terminated run ends, with all of its steps, though Temporal has one of its batches no more", async () => {
  const hold = component("hold", { action: "wait", with: { duration: "10d" } });
  const id = await startInSecondBatch("continue", hold);
  const batch = rig.client.workflow.getHandle((await secondBatchOf(id)).id);
  await batch.terminate();
  await waitFor("what comes next", async () => (await rig.getRun(id)).steps.length > COUNT);
  const { namespace } = rig.client.options;
  const workflowExecution = { workflowId: batch.workflowId };
  await rig.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
  await waitFor("the batch to go", () =>
    batch.describe().then(
      () => false,
      (error: unknown) => error instanceof WorkflowNotFoundError,
    ),
  );
  await rig.client.workflow.getHandle(id).terminate("enough");
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "failed", stepCount: COUNT + 1 });
  expect(outcomesOf(run)).toEqual({
    success: 110,
    "failed: The step's batch is not in Temporal any more.": 10,
    "failed: The run was terminated in Temporal: enough": 1,
  });
  expect(await inspectRun(rig, id)).toMatchObject({ kind: "equal" });
});

test("a canceled batch fails its run", async () => {
  const id = await startInSecondBatch();
  const batch = await secondBatchOf(id);
  await rig.client.workflow.getHandle(batch.id).cancel();
  const run = await untilConfirmed(rig, id);
  expect(run.status).toBe("failed");
  expect(outcomesOf(run)).toMatchObject({ success: 110 });
  expect(run.steps.filter(({ status }) => status === null)).toEqual([]);
  await expectExact(run);
});

test("a batch that is reset runs its items again; its run waits for it", async () => {
  const id = await startInSecondBatch();
  const batch = await secondBatchOf(id);
  await rig.reset({ ...(await rig.getRun(id)), ...batch }, 4);
  const again = await waitFor("the batch that was started anew", async () => {
    const { id: workflowId, temporalRunId } = await secondBatchOf(id);
    return temporalRunId !== batch.temporalRunId && workflowId;
  });
  await rig.client.workflow.getHandle(again).cancel();
  const run = await untilConfirmed(rig, id);
  expect(run.steps).toHaveLength(COUNT);
  await expectExact(run);
});

test("a run that is reset while a batch is under way keeps that batch", async () => {
  const id = await startInSecondBatch();
  await resetToLastTask(rig, await rig.getRun(id));
  await rig.client.workflow.getHandle(id).cancel();
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "canceled", generation: 1 });
  expect(outcomesOf(run)).toEqual({ success: 110, "failed: The run was canceled.": 10 });
  await expectExact(run);
});

test("a run that is reset while a batch is under way ends that batch when it is terminated", async () => {
  const id = await startInSecondBatch();
  const batch = await secondBatchOf(id);
  await resetToLastTask(rig, await rig.getRun(id));
  await rig.client.workflow.getHandle(id).terminate("no more");
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "failed", errorCode: "workflow_terminated", generation: 1 });
  expect(run.steps).toHaveLength(COUNT);
  await expectExact(run);
  const { status } = await rig.client.workflow.getHandle(batch.id).describe();
  expect(status.name).toBe("TERMINATED");
});

test("a run that is reset to before its batches runs new ones; the old ones end", async () => {
  const id = await startInSecondBatch();
  const old = await secondBatchOf(id);
  await rig.reset(await rig.getRun(id), 4);
  await waitFor("the old batch's end", async () => {
    const handle = rig.client.workflow.getHandle(old.id);
    return (await handle.describe()).status.name === "TERMINATED";
  });
  await waitFor("the new second batch", async () => (await secondBatchOf(id)).id !== old.id);
  await rig.client.workflow.getHandle(id).cancel();
  const run = await untilConfirmed(rig, id);
  expect(run).toMatchObject({ status: "canceled", generation: 1 });
  await expectExact(run);
});
