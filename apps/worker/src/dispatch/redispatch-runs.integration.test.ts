import { waitFor } from "@truerun/dev/testing/wait-for";
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { createDispatchMarks, type DispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatcher";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { newId } from "@truerun/shared/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { deleteExpiredKeys } from "./delete-expired-keys.ts";
import { redispatchRuns, type RedispatchOptions } from "./redispatch-runs.ts";

let rig: WorkerRig;
let proxy: TcpProxy;
let temporal: TemporalClient;
let marks: DispatchMarks;
let sweep: RedispatchOptions;

beforeAll(async () => {
  rig = await createWorkerRig();
  const [, port] = rig.config.TEMPORAL_ADDRESS.split(":");
  proxy = await createTcpProxy({ targetPort: Number(port) });
  temporal = createTemporalClient({ ...rig.config, TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` });
  const { db, logger } = rig;
  marks = createDispatchMarks({ db, logger });
  const { client } = temporal;
  const taskQueue = rig.config.TEMPORAL_TASK_QUEUE;
  const dispatcher = createDispatcher({ client, taskQueue, deadlineMs: 1_000, logger });
  sweep = { db, client, dispatcher, marks, logger };
});
afterAll(async () => {
  await marks.close();
  await temporal.close();
  await proxy.close();
  await rig.close();
});

const undispatched = () => rig.startRun({ components: [component("a")], dispatch: false });

test("many sweepers at once start each undispatched run once", async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, undispatched));
  await Promise.all([redispatchRuns(sweep), redispatchRuns(sweep), redispatchRuns(sweep)]);
  for (const id of ids) {
    const ended = await rig.finished(id);
    expect(ended.status).toBe("completed");
    expect(ended.dispatchedAt).not.toBeNull();
    expect(await countTemporalRuns(id)).toBe(1);
  }
});

test("a sweep takes the orgs' runs in turn", async () => {
  const orgId = newId("cborg");
  const components = [component("a")];
  for (let index = 0; index < 60; index++) {
    await rig.startRun({ orgId, name: `w-${index}`, components, dispatch: false });
  }
  const last = await undispatched();
  // With time to spare: this is not about a slow Temporal.
  const patient = { ...sweep, dispatcher: rig.dispatcher };
  expect(await redispatchRuns(patient)).toBe(true);
  await waitFor("the last run's mark", async () => (await rig.getRun(last)).dispatchedAt !== null);
  expect(await redispatchRuns(patient)).toBe(false);
  const undispatchedNow = () => rig.db.workflowRun.count({ where: { orgId, dispatchedAt: null } });
  await waitFor("all marks", async () => (await undispatchedNow()) === 0);
});

test.for([
  ["is gone", () => proxy.cut()],
  ["is frozen", () => proxy.freeze()],
] as const)(
  "while Temporal %s a run stays, and starts once when it is back",
  async ([, damage]) => {
    const id = await undispatched();
    damage();
    expect(await redispatchRuns(sweep)).toBe(false);
    expect(await rig.getRun(id)).toMatchObject({ status: "started", dispatchedAt: null });
    proxy.restore();
    await waitFor("the sweeper to dispatch it", async () => {
      await redispatchRuns(sweep);
      return (await rig.getRun(id)).dispatchedAt !== null;
    });
    expect((await rig.finished(id)).status).toBe("completed");
    expect(await countTemporalRuns(id)).toBe(1);
  },
);

test("a run that Temporal alone does not take keeps no other waiting", async () => {
  const refused = await undispatched();
  await rig.db.$executeRaw`
    UPDATE workflow_runs SET started_at = now() - interval '1 hour' WHERE id = ${refused}`;
  const id = await undispatched();
  const dispatcher: RedispatchOptions["dispatcher"] = {
    dispatch: (run) =>
      run.workflowRunId === refused
        ? Promise.resolve({ kind: "unavailable", reason: "planted" })
        : sweep.dispatcher.dispatch(run),
  };
  await waitFor("the other to be dispatched", async () => {
    // Both are due.
    await rig.db.$executeRaw`
      UPDATE workflow_runs SET next_dispatch_at = now() WHERE dispatched_at IS NULL`;
    await redispatchRuns({ ...sweep, dispatcher });
    return (await rig.getRun(id)).dispatchedAt !== null;
  });
  await rig.finished(id);
  expect((await rig.getRun(refused)).dispatchedAt).toBeNull();
  await rig.db.workflowRun.delete({ where: { id: refused } });
});

test("a run that is not due is left to the request that still tries", async () => {
  const id = await undispatched();
  await rig.db.$executeRaw`
    UPDATE workflow_runs SET next_dispatch_at = now() + interval '1 hour' WHERE id = ${id}`;
  await redispatchRuns(sweep);
  await marks.close();
  expect((await rig.getRun(id)).dispatchedAt).toBeNull();
});

test("past the window a run that Temporal does not have ends, with the reason", async () => {
  const id = await undispatched();
  await age(id);
  await redispatchRuns(sweep);
  expect(await rig.getRun(id)).toMatchObject({ status: "failed", errorCode: "dispatch_expired" });
  expect(await countTemporalRuns(id)).toBe(0);
});

test("past the window a run that Temporal does have is not ended", async () => {
  const id = await rig.startRun({
    components: [component("a", { action: "slow", with: { ms: 1_000 } })],
  });
  await rig.db.$executeRaw`UPDATE workflow_runs SET dispatched_at = NULL WHERE id = ${id}`;
  await age(id);
  await redispatchRuns(sweep);
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await countTemporalRuns(id)).toBe(1);
});

test("a run that Temporal refuses for good fails at once, with the reason", async () => {
  const id = await rig.startRun({
    // One character over what Temporal takes as a workflow type.
    name: "x".repeat(1_001),
    components: [component("a")],
    dispatch: false,
  });
  await redispatchRuns(sweep);
  const run = await rig.getRun(id);
  expect(run).toMatchObject({ status: "failed", errorCode: "dispatch_rejected" });
  expect(run.errorMessage).toMatch(/Temporal refused the run: .*length/);
});

test("expired Idempotency-Keys are deleted, others are not", async () => {
  await rig.db.$executeRaw`
    INSERT INTO idempotency_keys (org_id, endpoint, key, run_id, expires_at)
    VALUES ('o', 'e', 'old', 'r', now() - interval '1 second'),
           ('o', 'e', 'new', 'r', now() + interval '1 hour')`;
  expect(await deleteExpiredKeys(rig.db)).toBe(false);
  const left = await rig.db.idempotencyKey.findMany({ where: { orgId: "o" } });
  expect(left.map(({ key }) => key)).toEqual(["new"]);
});

async function age(id: string): Promise<void> {
  await rig.db.$executeRaw`
    UPDATE workflow_runs SET started_at = now() - interval '25 hours' WHERE id = ${id}`;
}

async function countTemporalRuns(id: string): Promise<number> {
  return await waitFor("visibility", async () => {
    const { count } = await rig.client.workflow.count(`WorkflowId = '${id}'`);
    const { status } = await rig.getRun(id);
    // Visibility lags behind the start: a count of none is believed only of a run that never started.
    return count > 0 || status === "failed" ? { count } : null;
  }).then(({ count }) => count);
}
