import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component, local } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createMirrorDatabase } from "../mirror/mirror-database.ts";
import { createReplayer } from "../mirror/replay-history.ts";
import { confirmClosedRuns, untilConfirmed } from "../testing/walk-once.ts";
import { createFailures } from "./for-each-run.ts";
import { createOpenRunsPass } from "./open-runs.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

async function startWaiting(timeout = "1h"): Promise<string> {
  const id = await rig.startRun({
    timeout,
    components: [
      component("a", { next: [{ to: "b", on: "success" }] }),
      component("b", { action: "slow", with: { ms: 60_000 } }),
    ],
  });
  await waitFor("the running component", async () => {
    const { raw } = await rig.client.workflow.getHandle(id).describe();
    return raw.pendingActivities?.some(({ activityType }) => activityType?.name === "slow");
  });
  return id;
}

test.each([
  ["regular", ["a", "b", "c"].map((key) => component(key))],
  ["local", ["a", "b", "c"].map((key) => local(key))],
])(
  "an end that the mirror recorded is confirmed, with Temporal's own close time: %s components",
  async (_, components) => {
    const id = await rig.startRun({ components });
    const before = await rig.finished(id);
    const after = await untilConfirmed(rig, id);
    const { closeTime } = await rig.client.workflow.getHandle(id).describe();
    expect(after.completedAt).toEqual(closeTime);
    expect(after.steps).toEqual(before.steps);
    expect(after.status).toBe("completed");
    // And its history is not replayed for that, unless a busy machine renewed the task of the local ones.
    if (Number(before.stepsDigest) !== -1) expect(after.projectedLength).toBe(0);
  },
);

test.each([
  ["an earlier place", component, { length: 4, ms: 15 }],
  ["an earlier place, of local components", local, { length: 4, ms: 15 }],
  ["the same place, seconds earlier", component, { length: 0, ms: 10_000 }],
])(
  "an end from an attempt that Temporal did not take is not confirmed: %s",
  async (_, make, behind) => {
    const id = await rig.startRun({ components: [make("a")] });
    await rig.finished(id);
    const right = await untilConfirmed(rig, id);
    // Everything that such a try records is consistent in itself.
    await rig.db.$executeRaw`
    UPDATE workflow_run_steps SET digest = digest + 1, updated_at = updated_at - interval '1 second',
           mirror_length = mirror_length - ${behind.length}::int, mirror_time_ms = mirror_time_ms - ${behind.ms}::int
     WHERE run_id = ${id}`;
    await rig.db.$executeRaw`
    UPDATE workflow_runs SET confirmed_at = NULL, steps_digest = steps_digest + 1,
           mirror_length = mirror_length - ${behind.length}::int, mirror_time_ms = mirror_time_ms - ${behind.ms}::int
     WHERE id = ${id}`;
    const { steps, stepsDigest, mirrorLength, mirrorTimeMs } = right;
    expect(await untilConfirmed(rig, id)).toMatchObject({
      steps,
      stepsDigest,
      mirrorLength,
      mirrorTimeMs,
    });
  },
);

test("a run terminated in Temporal ends here, its steps too, with the reason", async () => {
  const id = await startWaiting();
  await rig.client.workflow.getHandle(id).terminate("wrong quarter");
  const ended = await untilConfirmed(rig, id);
  expect(ended).toMatchObject({ status: "failed", errorCode: "workflow_terminated" });
  expect(ended.steps.map((step) => [step.status, step.message])).toEqual([
    ["success", null],
    ["failed", "The run was terminated in Temporal: wrong quarter"],
  ]);
});

test("a run ends with what Postgres can keep of the reason", async () => {
  const id = await startWaiting();
  await rig.client.workflow.getHandle(id).terminate(`wrong\u0000${"quarter".repeat(1_000)}`);
  const { errorMessage, steps } = await untilConfirmed(rig, id);
  expect(errorMessage).toMatch(/^The run was terminated in Temporal: wrong\uFFFDquarter.*…$/);
  expect(steps.at(-1)?.message).toBe(errorMessage);
});

/** Begins a transaction of a mirror's that writes one more step, and leaves it open. @returns what commits it */
async function beginLateWrite(id: string): Promise<() => Promise<void>> {
  const db = createMirrorDatabase(rig.config.DATABASE_URL, 1);
  let [hasBegun, mayCommit] = [false, false];
  const writing = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`
        INSERT INTO workflow_run_steps
        SELECT (jsonb_populate_record(step, '{"id": "late", "step_key": "late"}')).*
          FROM workflow_run_steps AS step WHERE run_id = ${id} AND ordinal = 0`;
      hasBegun = true;
      await waitFor("the commit", () => mayCommit);
    },
    { timeout: 20_000 },
  );
  await waitFor("the statement", () => hasBegun);
  return async () => {
    mayCommit = true;
    await writing;
    await db.$disconnect();
  };
}

const isConfirmed = async (id: string) => (await rig.getRun(id)).confirmedAt !== null;
const keysOf = async (id: string) => (await rig.getRun(id)).steps.map(({ stepKey }) => stepKey);

test("what a mirror had under way when a terminated run was projected is taken away", async () => {
  const id = await startWaiting();
  const commit = await beginLateWrite(id);
  await rig.client.workflow.getHandle(id).terminate("wrong quarter");
  const pass = untilConfirmed(rig, id);
  await waitFor("the projection", () => isConfirmed(id));
  await commit();
  await pass;
  await waitFor("the late step to go", async () => !(await keysOf(id)).includes("late"));
  expect(await keysOf(id)).toEqual(["a", "b"]);
});

test("what a mirror had under way when an end was confirmed takes the confirmation back", async () => {
  const id = await rig.startRun({ components: [component("a")] });
  await rig.finished(id);
  await rig.client.workflow.getHandle(id).result();
  const commit = await beginLateWrite(id);
  // There is only one pass, so the list has to show the end by now.
  await waitFor("the end in Temporal's list", async () => {
    const query = `WorkflowId = "${id}" AND ExecutionStatus != "Running"`;
    return (await rig.client.workflow.count(query)).count === 1;
  });
  const pass = confirmClosedRuns(rig);
  await waitFor("the confirmation", () => isConfirmed(id));
  await commit();
  await pass;
  expect(await isConfirmed(id)).toBe(false);
  const openRuns = createOpenRunsPass(rig, { roundMs: 0 });
  await waitFor("the repair", async () => {
    await openRuns();
    return await isConfirmed(id);
  });
  expect(await keysOf(id)).toEqual(["a"]);
});

test("a run over its timeout ends here", async () => {
  const ended = await untilConfirmed(rig, await startWaiting("2s"));
  expect(ended).toMatchObject({ status: "failed", errorCode: "workflow_timed_out" });
  expect(ended.steps[1]).toMatchObject({
    status: "failed",
    message: "The run exceeded its timeout.",
  });
});

test("a run that ended before any worker saw it ends here, without steps", async () => {
  const idle = await createWorkerRig({ idle: true });
  const id = await idle.startRun({ components: [component("a")] });
  await idle.client.workflow.getHandle(id).terminate();
  await untilConfirmed(idle, id);
  const run = await idle.getRun(id);
  expect(run).toMatchObject({ status: "failed", errorCode: "workflow_terminated", steps: [] });
  await idle.close();
});

test("rows that were damaged or lost are restored", async () => {
  const id = await rig.startRun({
    components: [component("a", { next: [{ to: "b", on: "success" }] }), component("b")],
  });
  const before = await rig.finished(id);
  await rig.db.workflowRunStep.delete({ where: { id: before.steps[0]?.id ?? "" } });
  await rig.db.workflowRunStep.update({
    where: { id: before.steps[1]?.id ?? "" },
    data: { status: "failed", digest: 0 },
  });
  const after = await untilConfirmed(rig, id);
  expect(after.steps).toEqual(before.steps);
});

test("a run that could not be repaired holds nothing up, and is looked at again", async () => {
  const id = await startWaiting();
  await rig.client.workflow.getHandle(id).terminate();
  const replayer = createReplayer({ bundlePath: "/nowhere/bundle.js" });
  const broken = { ...rig, replayer, failures: createFailures(rig.logger) };
  await waitFor("a pass that saw it", async () => {
    await confirmClosedRuns(broken);
    return broken.failures.isResting(id);
  });
  const later = await rig.startRun({ components: [component("a")] });
  await rig.finished(later);
  await untilConfirmed(broken, later);
  expect(await rig.getRun(id)).toMatchObject({ status: "started", confirmedAt: null });
  const lookAround = createOpenRunsPass(rig, { roundMs: 0 });
  const repaired = await waitFor("the repair", async () => {
    await lookAround();
    const run = await rig.getRun(id);
    return run.confirmedAt !== null && run;
  });
  expect(repaired.errorCode).toBe("workflow_terminated");
});

test("after a reset the old end confirms nothing; the new run's does", async () => {
  const id = await rig.startRun({
    components: [
      component("a", { next: [{ to: "b", on: "success" }] }),
      // Long enough for the row to be seen while this runs: the row follows only after a replay.
      component("b", { action: "slow", with: { ms: 4_000 } }),
    ],
  });
  const before = await rig.finished(id);
  const runId = await rig.reset(before, 10);
  await confirmClosedRuns(rig);
  const reopened = await waitFor("the new Temporal run", async () => {
    const run = await rig.getRun(id);
    return run.temporalRunId === runId && run;
  });
  expect(reopened).toMatchObject({ status: "started", confirmedAt: null });
  expect(await untilConfirmed(rig, id)).toMatchObject({ status: "completed", generation: 1 });
});
