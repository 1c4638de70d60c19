import { WorkflowNotFoundError } from "@temporalio/client";
import { createLogger } from "@truerun/shared/logger";
import { ANSWER_REVIEW } from "@truerun/shared/contracts/review";
import { createDispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redispatchRuns } from "../dispatch/redispatch-runs.ts";
import type { Replayer } from "../mirror/replay-history.ts";
import { writeRecords } from "../mirror/mirror-statement.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createWorkerMetrics } from "../worker-metrics.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { createOpenRunsPass } from "./open-runs.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

const waiting = () => [
  component("a", { next: [{ to: "long", on: "success" }] }),
  component("long", { action: "wait", with: { duration: "10d" } }),
];

/** Waits until Temporal has nothing more to do for the run by itself. */
async function atRest({ client }: WorkerRig, id: string): Promise<void> {
  await waitFor(`${id} at rest`, async () => {
    const { raw, historyLength } = await client.workflow.getHandle(id).describe();
    return raw.pendingWorkflowTask == null && historyLength > 10;
  });
}

/** As if the run had been dispatched a while ago. */
async function age({ db }: WorkerRig, id: string): Promise<void> {
  await db.$executeRaw`
    UPDATE workflow_runs SET dispatched_at = now() - interval '1 minute' WHERE id = ${id}`;
}

async function untilRow(
  { rig: of, id }: { rig: WorkerRig; id: string },
  pass: () => Promise<unknown>,
  is: (run: RunRow) => boolean,
): Promise<RunRow> {
  return await waitFor("the row", async () => {
    await pass();
    const run = await of.getRun(id);
    return is(run) && run;
  });
}

test("what a worker could not write before it died is there soon after", async () => {
  const blind = await createWorkerRig({ mirrorUrl: () => "postgresql://127.0.0.1:1/nothing" });
  const id = await blind.startRun({ components: waiting() });
  await atRest(blind, id);
  await age(blind, id);
  expect((await blind.getRun(id)).steps).toEqual([]);
  const pass = createOpenRunsPass(blind, { roundMs: 0 });
  const after = await untilRow({ rig: blind, id }, pass, ({ steps }) => steps.length > 0);
  expect(after.steps.map(({ stepKey, status }) => [stepKey, status])).toEqual([
    ["a", "success"],
    ["long", null],
  ]);
  expect(after).toMatchObject({ status: "started", generation: 0 });
  const { historyLength } = await blind.client.workflow.getHandle(id).describe();
  expect(after.projectedLength).toBe(historyLength);
  await blind.close();
});

test("an end that Temporal refused is taken back", async () => {
  const id = await rig.startRun({ components: waiting() });
  await atRest(rig, id);
  await age(rig, id);
  const { temporalRunId, steps } = await rig.getRun(id);
  await writeRecords(rig.db, [
    {
      kind: "end",
      run_id: id,
      temporal_run_id: temporalRunId ?? "",
      mirror_length: 99,
      mirror_time_ms: Date.now(),
      mirror_seq: 99,
      status: "completed",
      error_code: null,
      error_message: null,
      completed_at_ms: Date.now(),
      step_count: 2,
      steps_digest: 0,
    },
  ]);
  expect((await rig.getRun(id)).status).toBe("completed");
  const pass = createOpenRunsPass(rig, { roundMs: 0 });
  const after = await untilRow({ rig, id }, pass, ({ status }) => status === "started");
  expect(after).toMatchObject({ completedAt: null, stepCount: null, mirrorLength: 0 });
  expect(after.steps).toEqual(steps);
});

test("a run whose workflow task fails again and again is told of once, and once when that is over", async () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ name: "test", level: "info", destination });
  const metrics = createWorkerMetrics();
  const id = await rig.startRun({ components: waiting(), dispatch: false });
  const handle = await rig.client.workflow.start("x", {
    workflowId: id,
    taskQueue: rig.config.TEMPORAL_TASK_QUEUE,
    args: [{ event_type: "Workflow.RunRequested", data: { definition: { components: [{}] } } }],
  });
  await age(rig, id);
  const pass = createOpenRunsPass({ ...rig, logger, metrics }, { roundMs: 0 });
  const told = (what: string) =>
    lines.filter((line) => line.includes(id) && line.includes(what)).length;
  await waitFor("the log line", async () => {
    await pass();
    return told("the run is stuck") > 0;
  });
  const stuck = () => metrics.registry.getSingleMetricAsString("truerun_stuck_runs");
  expect(await stuck()).toContain("truerun_stuck_runs 1");
  await pass();
  await pass();
  await handle.terminate();
  await waitFor("the end of it", async () => {
    await pass();
    return told("not stuck any more") > 0;
  });
  expect(told("the run is stuck")).toBe(1);
  expect(await stuck()).toContain("truerun_stuck_runs 0");
});

test("a run whose batches stand still is replayed once, and again when something happens in one", async () => {
  const id = await rig.startRun({
    components: [
      component("each", {
        for_each: Array.from({ length: 101 }, (_, n) => n),
        max_concurrency: 200,
        action: "wait_for_review",
        with: {},
      }),
    ],
  });
  await waitFor("all reviews", async () => (await rig.getRun(id)).steps.length === 101);
  await age(rig, id);
  let replays = 0;
  const replayer: Replayer = {
    ...rig.replayer,
    async replay(history, workflowId) {
      if (workflowId === id) replays++;
      return await rig.replayer.replay(history, workflowId);
    },
  };
  const pass = createOpenRunsPass({ ...rig, replayer }, { roundMs: 0 });
  await waitFor("a first look", async () => {
    await pass();
    return replays > 0;
  });
  await waitFor("looks without a replay", async () => {
    const before = replays;
    for (let round = 0; round < 3; round++) await pass();
    return replays === before;
  });
  const before = replays;
  const [batch] = (await rig.client.workflow.getHandle(id).describe()).raw.pendingChildren ?? [];
  const answer = { step_key: "each[0]", decision: "approve", comment: null, decided_by: "k" };
  const inBatch = rig.client.workflow.getHandle(batch?.workflowId ?? "");
  await inBatch.executeUpdate(ANSWER_REVIEW, { args: [answer] });
  await waitFor("another replay", async () => {
    await pass();
    return replays > before;
  });
  await rig.client.workflow.getHandle(id).terminate();
});

test("a run that was deleted in Temporal ends as lost, and is never started again", async () => {
  const id = await rig.startRun({ components: waiting() });
  await atRest(rig, id);
  await age(rig, id);
  await deleteExecution(id);
  const looks = createOpenRunsPass(rig, { roundMs: 0, goneTwiceMs: 60_000 });
  await looks();
  await looks();
  expect((await rig.getRun(id)).status).toBe("started");
  const pass = createOpenRunsPass(rig, { roundMs: 0, goneTwiceMs: 0 });
  const after = await untilRow({ rig, id }, pass, ({ status }) => status !== "started");
  expect(after).toMatchObject({ status: "failed", errorCode: "execution_lost", stepCount: 2 });
  expect(after.confirmedAt).not.toBeNull();
  expect(after.steps).toMatchObject([
    { stepKey: "a", status: "success" },
    { stepKey: "long", status: "failed", message: after.errorMessage },
  ]);
  const marks = createDispatchMarks(rig);
  await redispatchRuns({ ...rig, marks });
  await marks.close();
  await expect(rig.client.workflow.getHandle(id).describe()).rejects.toThrow(/not found/);
});

test("a run that had ended stays as it is when Temporal does not have it any more", async () => {
  const confirmed = await rig.startRun({ components: [component("a")] });
  await rig.finished(confirmed);
  await untilConfirmed(rig, confirmed);
  const provisional = await rig.startRun({ components: [component("a")] });
  await rig.finished(provisional);
  const before = await Promise.all([confirmed, provisional].map((id) => rig.getRun(id)));
  await Promise.all(
    before.map(async ({ id }) => {
      await waitFor("its end", async () => {
        const { status } = await rig.client.workflow.getHandle(id).describe();
        return status.name !== "RUNNING";
      });
      await deleteExecution(id);
    }),
  );
  await age(rig, provisional);
  const pass = createOpenRunsPass(rig, { roundMs: 0, goneTwiceMs: 0 });
  await untilRow({ rig, id: provisional }, pass, ({ confirmedAt }) => confirmedAt !== null);
  for (const { status, completedAt, steps, id } of before) {
    expect(await rig.getRun(id)).toMatchObject({ status, completedAt, steps });
  }
});

test("a namespace that was made anew says nothing of the runs of the old one", async () => {
  const other = await createWorkerRig({ idle: true });
  const id = await other.startRun({ components: waiting(), dispatch: false });
  await age(other, id);
  await other.db.reconcilerCursor.create({
    data: { name: "namespace old", position: new Date(0) },
  });
  const pass = createOpenRunsPass(other, { roundMs: 0, goneTwiceMs: 0 });
  await pass();
  await pass();
  expect((await other.getRun(id)).status).toBe("started");
  await other.close();
});

async function deleteExecution(workflowId: string): Promise<void> {
  const { client, config } = rig;
  const execution = { workflowId };
  const namespace = config.TEMPORAL_NAMESPACE;
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: execution });
  // A closed one is deleted by a queue that takes its time.
  const isGone = async (): Promise<boolean> => {
    const described = client.workflow.getHandle(workflowId).describe();
    return await described.then(
      () => false,
      () => true,
    );
  };
  await waitFor("the deletion", isGone, 90_000);
}

test("looks that a busy server takes its time for are followed by a rest", async () => {
  const busy = await createWorkerRig();
  for (let n = 0; n < 101; n++) await busy.startRun({ components: waiting(), dispatch: false });
  await busy.db.$executeRaw`UPDATE workflow_runs SET dispatched_at = now() - interval '1 minute'`;
  let looks = 0;
  const describe = async (): Promise<never> => {
    looks += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new WorkflowNotFoundError("not found", "", undefined);
  };
  const client = Object.create(busy.client, {
    workflow: { value: { getHandle: () => ({ describe }) } },
  }) as typeof busy.client;
  const pass = createOpenRunsPass({ ...busy, client }, { goneTwiceMs: 600_000 });
  await pass();
  const since = performance.now();
  await pass();
  expect(looks).toBe(100);
  await waitFor("the next look", async () => {
    await pass();
    return looks > 100;
  });
  // A hundred looks of 20 ms, four at a time, take a fifth of the time.
  expect(performance.now() - since).toBeGreaterThan(1_900);
  await busy.close();
});
