import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReplayer, type Replayer } from "../mirror/replay-history.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { confirmClosedRuns, followResets, untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createFailures } from "./for-each-run.ts";
import { createOpenRunsPass } from "./open-runs.ts";
import { repairRun } from "./repair-run.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

/** A canceled, confirmed run whose second workflow task, for a Signal that nobody listens to, recorded nothing. */
async function startAndCancel(): Promise<RunRow> {
  const id = await rig.startRun({
    components: [component("long", { action: "wait", with: { duration: "10d" } })],
  });
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the wait", async () => (await handle.describe()).historyLength === 5);
  await handle.signal("nobody listens");
  await waitFor("the signal's task", async () => (await handle.describe()).historyLength === 9);
  await handle.cancel();
  return await untilConfirmed(rig, id);
}

test("a reset run that only waits is shown as started, with the steps before the reset point", async () => {
  const before = await startAndCancel();
  expect(before).toMatchObject({ status: "canceled", generation: 0 });
  const temporalRunId = await rig.reset(before, 9);
  const after = await waitFor("the row of the new Temporal run", async () => {
    await followResets(rig);
    const run = await rig.getRun(before.id);
    return run.temporalRunId === temporalRunId && run;
  });
  expect(after).toMatchObject({
    status: "started",
    completedAt: null,
    errorCode: null,
    confirmedAt: null,
    stepCount: null,
    generation: 1,
  });
  expect(after.steps).toMatchObject([{ stepKey: "long", status: null, message: null }]);
});

test("a reset run that ended before it was looked at is followed as well", async () => {
  const before = await startAndCancel();
  const temporalRunId = await rig.reset(before, 9);
  await rig.client.workflow.getHandle(before.id).terminate("enough");
  const after = await waitFor("the end of the new Temporal run", async () => {
    await followResets(rig);
    await confirmClosedRuns(rig);
    const run = await rig.getRun(before.id);
    return run.temporalRunId === temporalRunId && run.confirmedAt !== null && run;
  });
  expect(after).toMatchObject({
    status: "failed",
    errorCode: "workflow_terminated",
    generation: 1,
  });
  expect(after.steps).toMatchObject([{ stepKey: "long", status: "failed" }]);
});

test("a reset that could not be followed once is looked at again, though the walk has moved on", async () => {
  const before = await startAndCancel();
  const temporalRunId = await rig.reset(before, 9);
  const replayer = createReplayer({ bundlePath: "/nowhere/bundle.js" });
  const broken = { ...rig, replayer, failures: createFailures(rig.logger) };
  await waitFor("a walk that saw it", async () => {
    await followResets(broken);
    return broken.failures.isResting(before.id);
  });
  expect(await rig.getRun(before.id)).toMatchObject({ status: "canceled", confirmedAt: null });
  const lookAround = createOpenRunsPass(rig, { roundMs: 0 });
  const after = await waitFor("the row of the new Temporal run", async () => {
    await lookAround();
    const run = await rig.getRun(before.id);
    return run.temporalRunId === temporalRunId && run;
  });
  expect(after).toMatchObject({ status: "started", completedAt: null, generation: 1 });
});

test("a run that is reset while it is projected is not ended by that", async () => {
  const id = await rig.startRun({
    components: [component("long", { action: "wait", with: { duration: "10d" } })],
  });
  await waitFor("its step", async () => (await rig.getRun(id)).steps.length === 1);
  const before = await rig.getRun(id);
  await rig.client.workflow.getHandle(id).terminate("by mistake");
  let temporalRunId = "";
  const overtaken: Replayer = {
    ...rig.replayer,
    async replay(...of) {
      const records = await rig.replayer.replay(...of);
      temporalRunId = await rig.reset(before, 4);
      await waitFor("the row of the new Temporal run", async () => {
        await followResets(rig);
        return (await rig.getRun(id)).temporalRunId === temporalRunId;
      });
      return records;
    },
  };
  expect(await repairRun({ ...rig, replayer: overtaken }, id)).toMatchObject({ kind: "moving" });
  expect(await rig.getRun(id)).toMatchObject({ status: "started", temporalRunId, generation: 1 });
});

test("the lists leave a run alone that nothing happened to", async () => {
  const id = await rig.startRun({
    components: [component("long", { action: "wait", with: { duration: "10d" } })],
  });
  await waitFor("its step", async () => (await rig.getRun(id)).steps.length === 1);
  const before = await rig.getRun(id);
  await followResets(rig);
  await followResets(rig);
  expect(await rig.getRun(id)).toEqual(before);
});
