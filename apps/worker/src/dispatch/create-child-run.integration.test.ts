// The row of a child run, whatever fails while it is made.
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { RunIdentity } from "@truerun/shared/contracts/run-requested-event";
import { newId } from "@truerun/shared/ids";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectProjected, UNCONFIRMED } from "../testing/expect-projected.ts";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { type ChildRunRequest, createChildRunActivity } from "./create-child-run.ts";

let rig: WorkerRig;
let database: TcpProxy;
let temporal: TcpProxy;

beforeAll(async () => {
  database = await createTcpProxy({ targetPort: 0 });
  temporal = await createTcpProxy({ targetPort: 0 });
  rig = await createWorkerRig({
    workerUrl(url) {
      const address = new URL(url);
      database.retarget(Number(address.port));
      address.port = String(database.port);
      return address.href;
    },
    workerAddress(address) {
      temporal.retarget(Number(address.split(":")[1]));
      return `127.0.0.1:${temporal.port}`;
    },
  });
});
afterEach(() => {
  database.restore();
  temporal.restore();
});
afterAll(async () => {
  await rig.close();
  await database.close();
  await temporal.close();
});

const startParent = () =>
  rig.startRun({
    components: [component("run", { action: "run_workflow", with: { workflow_name: "child" } })],
    others: { child: { components: [component("a")] } },
  });

const childrenOf = (parentRunId: string) => rig.db.workflowRun.findMany({ where: { parentRunId } });

test.each([
  ["gone", () => database.cut()],
  ["frozen", () => database.freeze()],
])(
  "while Postgres is %s the step waits, for longer than a workflow task may take",
  async (_how, damage) => {
    damage();
    const id = await startParent();
    const handle = rig.client.workflow.getHandle(id);
    // More tries and pauses than fit into one workflow task.
    await waitFor("several tries", async () => {
      const { events } = await handle.fetchHistory();
      const timers = events?.filter((event) => event.timerFiredEventAttributes != null);
      return timers?.length === 4;
    });
    expect((await rig.getRun(id)).steps).toMatchObject([{ status: null, artifacts: [] }]);
    database.restore();
    const run = await rig.finished(id);
    expect(run.steps).toMatchObject([{ stepKey: "run", status: "success" }]);
    expect((await childrenOf(id)).map(({ status }) => status)).toEqual(["completed"]);
    await expectProjected(rig, run.id, UNCONFIRMED);
  },
);

test("a run that is canceled while Postgres is away is canceled at once, and starts nothing", async () => {
  database.cut();
  const id = await startParent();
  await waitFor("the step", async () => (await rig.getRun(id)).steps.length === 1);
  await rig.client.workflow.getHandle(id).cancel();
  const run = await rig.finished(id);
  expect(run.status).toBe("canceled");
  expect(run.steps).toMatchObject([{ status: "failed", message: "The run was canceled." }]);
  database.restore();
  expect(await childrenOf(id)).toEqual([]);
});

test("a workflow task that is lost behind the insertion, and tried again, starts the same child", async () => {
  // Leaves a connection open: over a slow link none could be opened in time.
  await rig.finished(await startParent());
  database.slow(400);
  const id = await startParent();
  // The row is committed; the worker has not been told yet.
  const [inserted] = await waitFor("the child's row", async () => {
    const children = await childrenOf(id);
    return children.length > 0 && children;
  });
  temporal.freeze();
  database.restore();
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the loss of the workflow task", async () => {
    const { events } = await handle.fetchHistory();
    return events?.some((event) => event.workflowTaskTimedOutEventAttributes != null);
  });
  temporal.restore();
  const run = await rig.finished(id);
  expect(run.status).toBe("completed");
  const children = await childrenOf(id);
  expect(children.map(({ id: child, status }) => [child, status])).toEqual([
    [inserted?.id, "completed"],
  ]);
  await expectProjected(rig, run.id, UNCONFIRMED);
});

test("however often it is asked for, a child has one row, and stays on the version it was made with", async () => {
  const parentRunId = await startParent();
  const parent = await rig.finished(parentRunId);
  const activity = createChildRunActivity(rig);
  const create = async (asked: ChildRunRequest) => {
    const {
      started_at_ms: startedAt,
      finished_at_ms: finishedAt,
      ...child
    } = await activity(asked);
    expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
    return child;
  };
  const identity: RunIdentity = {
    workflow_run_id: parentRunId,
    org_id: parent.orgId,
    workflow_name: parent.workflowName,
    workflow_definition_id: parent.definitionId,
    definition_version: 1,
    started_at: 1,
  };
  const request = {
    child_run_id: newId("cbwr"),
    workflow_name: "child",
    input: { n: 1 },
    parent: identity,
    parent_temporal_run_id: "t",
  };
  const made = await Promise.allSettled(Array.from({ length: 5 }, () => create(request)));
  const [first, ...others] = made.filter((each) => each.status === "fulfilled");
  for (const other of others) expect(other).toEqual(first);
  await rig.db.workflowDefinition.deleteMany({ where: { orgId: parent.orgId } });
  expect(await create(request)).toEqual(first?.value);
  expect(await rig.db.workflowRun.count({ where: { id: request.child_run_id } })).toBe(1);
  await rig.db.$executeRaw`
    UPDATE workflow_runs SET status = 'canceled', completed_at = now() WHERE id = ${request.child_run_id}`;
  await expect(create(request)).rejects.toMatchObject({
    message: `The run ${request.child_run_id} was canceled before it was started.`,
    nonRetryable: true,
  });
});
