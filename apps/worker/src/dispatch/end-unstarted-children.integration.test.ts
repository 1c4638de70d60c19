import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDispatchMarks, type DispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { newId } from "@truerun/shared/ids";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { endUnstartedChildren } from "./end-unstarted-children.ts";
import { redispatchRuns } from "./redispatch-runs.ts";

let rig: WorkerRig;
let database: TcpProxy;
let marks: DispatchMarks;

beforeAll(async () => {
  database = await createTcpProxy({ targetPort: 0 });
  rig = await createWorkerRig({
    workerUrl(url) {
      const address = new URL(url);
      database.retarget(Number(address.port));
      address.port = String(database.port);
      return address.href;
    },
  });
  marks = createDispatchMarks(rig);
});
afterEach(() => database.restore());
afterAll(async () => {
  await marks.close();
  await rig.close();
  await database.close();
});

async function sweep(): Promise<void> {
  await endUnstartedChildren({ ...rig, marks });
  await redispatchRuns({ ...rig, marks });
  await marks.close();
}

/** Inserts a child that its parent has not started, and that is due to be looked at. */
async function insertChild(parent: RunRow, temporalRunId = parent.temporalRunId): Promise<string> {
  const { orgId, definitionId, workflowName, requestHash } = parent;
  const id = newId("cbwr");
  await rig.db.workflowRun.create({
    data: {
      id,
      orgId,
      definitionId,
      definitionVersion: 1,
      workflowName,
      input: {},
      requestHash,
      parentRunId: parent.id,
      parentTemporalRunId: temporalRunId,
    },
  });
  return id;
}

async function makeDue(id: string): Promise<void> {
  await rig.db.workflowRun.update({ where: { id }, data: { nextDispatchAt: new Date(0) } });
}

const startParent = () =>
  rig.startRun({
    components: [component("run", { action: "run_workflow", with: { workflow_name: "child" } })],
    others: { child: { components: [component("a")] } },
  });

/** Starts a run and waits until it is under way. */
async function startSlow(ms: number): Promise<RunRow> {
  const id = await rig.startRun({ components: [component("a", { action: "slow", with: { ms } })] });
  return await waitFor("its Temporal run", async () => {
    const run = await rig.getRun(id);
    return run.temporalRunId !== null && run;
  });
}

const ENDED = {
  status: "canceled",
  errorCode: "workflow_canceled",
  errorMessage: "The run that was to start this one ended, or was reset, before it did.",
  temporalRunId: null,
};

test("a parent that is terminated between the row and the start leaves no child open", async () => {
  // Leaves a connection open: over a slow link none could be opened in time.
  await rig.finished(await startParent());
  database.slow(400);
  const id = await startParent();
  const child = await waitFor("the child's row", () =>
    rig.db.workflowRun.findFirst({ where: { parentRunId: id } }),
  );
  await rig.client.workflow.getHandle(id).terminate();
  // Not due yet: its parent might be about to start it.
  await sweep();
  expect(await rig.getRun(child.id)).toMatchObject({ status: "started", dispatchedAt: null });
  await makeDue(child.id);
  await sweep();
  expect(await rig.getRun(child.id)).toMatchObject(ENDED);
});

test("a child whose parent run is open is left to it, and looked at again later", async () => {
  const parent = await startSlow(60_000);
  const child = await insertChild(parent);
  const before = Date.now();
  await sweep();
  const row = await rig.getRun(child);
  expect(row).toMatchObject({ status: "started", dispatchedAt: null });
  expect(row.nextDispatchAt.getTime()).toBeGreaterThan(before + 30_000);
  await rig.client.workflow.getHandle(parent.id).cancel();
  await rig.finished(parent.id);
  await waitFor("the end of the child", async () => {
    // Each time: the parent's row may have its end before Temporal closes the parent.
    await makeDue(child);
    await sweep();
    return (await rig.getRun(child)).status === "canceled";
  });
  expect(await rig.getRun(child)).toMatchObject(ENDED);
});

test("a child of a Temporal run that is no longer its parent's is ended", async () => {
  const parent = await startSlow(60_000);
  const child = await insertChild(parent, crypto.randomUUID());
  await sweep();
  expect(await rig.getRun(child)).toMatchObject(ENDED);
  await rig.client.workflow.getHandle(parent.id).terminate();
});

test("a child that was started after all is marked, and goes on", async () => {
  const parent = await rig.finished(await rig.startRun({ components: [component("a")] }));
  const child = await startSlow(2_000);
  await rig.db.workflowRun.update({
    where: { id: child.id },
    data: {
      parentRunId: parent.id,
      parentTemporalRunId: parent.temporalRunId,
      dispatchedAt: null,
      nextDispatchAt: new Date(0),
    },
  });
  await sweep();
  expect((await rig.getRun(child.id)).dispatchedAt).not.toBeNull();
  expect((await rig.finished(child.id)).status).toBe("completed");
});
