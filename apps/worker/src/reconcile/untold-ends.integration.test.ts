import { ANSWER_REVIEW } from "@truerun/shared/contracts/review";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { childrenOf, runs, slow, startedChildOf } from "../testing/child-runs.ts";
import { resetToLastTask } from "../testing/reset-to-last-task.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { confirmClosedRuns, followResets, untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createOpenRunsPass } from "./open-runs.ts";
import { repairRun } from "./repair-run.ts";

const BATCHED = 101;

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

/** Waits until Temporal has nothing more to do for the run by itself; then terminates it, and waits for its children. */
async function terminateAtRest(id: string): Promise<RunRow> {
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the run's rest", async () => {
    const { raw } = await handle.describe();
    return raw.pendingWorkflowTask == null && (raw.pendingChildren?.length ?? 0) > 0;
  });
  const { raw } = await handle.describe();
  await handle.terminate("by mistake");
  for (const { workflowId } of raw.pendingChildren ?? []) {
    const child = rig.client.workflow.getHandle(workflowId ?? "");
    await waitFor("the child's end", async () => {
      return (await child.describe()).status.name !== "RUNNING";
    });
  }
  return await untilConfirmed(rig, id);
}

/** Longer than Temporal takes to tell a run of its child's end, which is some milliseconds. */
const UNTOLD_MS = 3_000;

/** What the loops do for a run that was reset, until it ends. @param before - as it was before that */
async function endOf(before: RunRow): Promise<RunRow> {
  const lookAround = createLoops();
  return await waitFor("the run's end", async () => {
    await lookAround();
    const run = await rig.getRun(before.id);
    return run.temporalRunId !== before.temporalRunId && run.confirmedAt !== null && run;
  });
}

function createLoops(): () => Promise<void> {
  const openRuns = createOpenRunsPass(rig, { roundMs: 0, untoldMs: UNTOLD_MS });
  return async () => {
    await followResets(rig);
    await openRuns();
    await confirmClosedRuns(rig);
  };
}

async function reasonOfReset(run: RunRow): Promise<string> {
  const { events } = await rig.client.workflow.getHandle(run.id).fetchHistory();
  const failed = (events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: each }) => each?.failure?.message ?? [],
  );
  return failed.join("\n");
}

test("a terminated run that is reset to where it waited for a child run starts another", async () => {
  const id = await rig.startRun({
    components: [
      component("review", { action: "wait_for_review", with: {} }),
      component("first", { next: [{ to: "run", on: "success" }] }),
      { ...runs("slow"), next: [{ to: "after", on: "success" }] },
      component("after"),
    ],
    others: { slow: slow(5_000) },
  });
  const child = await startedChildOf(rig, id);
  const terminated = await terminateAtRest(id);
  const reset = await resetToLastTask(rig, terminated);
  const answer = { step_key: "review", decision: "approve", comment: null, decided_by: "k" };
  await rig.client.workflow.getHandle(id).executeUpdate(ANSWER_REVIEW, { args: [answer] });
  const ended = await endOf(terminated);
  expect(ended).toMatchObject({ status: "completed", errorCode: null });
  expect(ended.temporalRunId).not.toBe(reset);
  expect(ended.steps.map(({ stepKey, status }) => [stepKey, status])).toEqual([
    // Answered between the two resets: the answer stays.
    ["review", "success"],
    ["first", "success"],
    ["run", "success"],
    ["after", "success"],
  ]);
  const children = await childrenOf(rig, id);
  expect(children).toHaveLength(2);
  for (const { id: childId, status } of children) {
    expect(status).toBe(childId === child.id ? "canceled" : "completed");
  }
  expect(await reasonOfReset(ended)).toContain(`It waited for ${child.id}`);
});

test("one that is reset to where it waited for a batch runs that batch again", async () => {
  const id = await rig.startRun({
    input: { items: Array.from({ length: BATCHED }, (_, index) => index) },
    components: [
      component("each", {
        for_each: "${{ input.items }}",
        max_concurrency: BATCHED,
        action: "slow",
        with: { ms: 3_000 },
      }),
    ],
  });
  const terminated = await terminateAtRest(id);
  expect(terminated).toMatchObject({ status: "failed", errorCode: "workflow_terminated" });
  await resetToLastTask(rig, terminated);
  const ended = await endOf(terminated);
  expect(ended.status).toBe("completed");
  expect(ended.steps).toHaveLength(BATCHED);
  expect(ended.steps.every(({ status }) => status === "success")).toBe(true);
});

test("a run that was reset while its child run is under way is left alone", async () => {
  const id = await rig.startRun({ components: [runs("slow")], others: { slow: slow(6_000) } });
  const child = await startedChildOf(rig, id);
  await waitFor("the run's rest", async () => {
    const { raw } = await rig.client.workflow.getHandle(id).describe();
    return raw.pendingWorkflowTask == null;
  });
  const before = await rig.getRun(id);
  const reset = await resetToLastTask(rig, before);
  const ended = await endOf(before);
  expect(ended).toMatchObject({ status: "completed", temporalRunId: reset });
  expect((await childrenOf(rig, id)).map((each) => each.id)).toEqual([child.id]);
});

test("one that was canceled while it waited in vain is canceled", async () => {
  const id = await rig.startRun({ components: [runs("slow")], others: { slow: slow(5_000) } });
  await startedChildOf(rig, id);
  const terminated = await terminateAtRest(id);
  await resetToLastTask(rig, terminated);
  await rig.client.workflow.getHandle(id).cancel();
  const ended = await endOf(terminated);
  expect(ended.status).toBe("canceled");
});

test("a run that waits for nothing of a child that it started is left alone", async () => {
  const id = await rig.startRun({
    components: [
      { ...runs("slow", { wait: false }), next: [{ to: "review", on: "success" }] },
      component("review", { action: "wait_for_review", with: {} }),
    ],
    others: { slow: slow(5_000) },
  });
  const child = await startedChildOf(rig, id);
  await waitFor("the review", async () => (await rig.getRun(id)).steps.length === 2);
  const terminated = await terminateAtRest(id);
  expect((await rig.finished(child.id)).status).toBe("completed");
  const reset = await resetToLastTask(rig, terminated);
  const lookAround = createLoops();
  // Runs are looked at once they have rested for four seconds.
  const until = Date.now() + 4_000 + 2 * UNTOLD_MS;
  await waitFor("some rounds", async () => {
    await lookAround();
    return Date.now() > until;
  });
  const after = await rig.getRun(id);
  expect(after).toMatchObject({ status: "started", temporalRunId: reset });
  expect(await childrenOf(rig, id)).toHaveLength(1);
  await rig.client.workflow.getHandle(id).terminate();
});

test("a run that was reset and is paused keeps the child run that it waits for", async () => {
  const id = await rig.startRun({ components: [runs("slow")], others: { slow: slow(600_000) } });
  const child = await startedChildOf(rig, id);
  const before = await rig.getRun(id);
  const handle = rig.client.workflow.getHandle(id);
  const isAtRest = async () => {
    const { pendingWorkflowTask, pendingChildren } = (await handle.describe()).raw;
    return pendingWorkflowTask == null && Boolean(pendingChildren?.[0]?.runId);
  };
  // The task in which the run hears that the child has begun: reset to before it, it would make another one.
  await waitFor("the run's rest", isAtRest);
  await resetToLastTask(rig, before);
  await waitFor("the reset run's rest", async () => {
    await followResets(rig);
    return (await isAtRest()) && (await handle.describe()).runId !== before.temporalRunId;
  });
  const { namespace } = rig.client.options;
  await rig.client.workflowService.pauseWorkflowExecution({ namespace, workflowId: id });
  await waitFor("the pause", async () => (await handle.describe()).status.name === "PAUSED");
  await repairRun(rig, id);
  const { raw } = await handle.describe();
  expect(raw.pendingChildren).toMatchObject([{ workflowId: child.id }]);
  const { events } = await rig.client.workflow.getHandle(child.id).fetchHistory();
  expect(
    events?.filter((event) => event.workflowExecutionCancelRequestedEventAttributes != null),
  ).toEqual([]);
});
