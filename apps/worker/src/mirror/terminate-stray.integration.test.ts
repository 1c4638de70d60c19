// A run that ended without being dispatched never runs, whenever an earlier start of it lands.
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDispatchMarks, endUndispatched } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatcher";
import {
  DISPATCHABLE_COLUMNS,
  DISPATCHABLE_JOINS,
  type DispatchableRow,
  toDispatchableRun,
} from "@truerun/shared/dispatch/dispatchable-row";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { redispatchRuns, type RedispatchOptions } from "../dispatch/redispatch-runs.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { executions } from "../testing/test-components.ts";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createStrayTerminator } from "./terminate-stray.ts";

let rig: WorkerRig;
let proxy: TcpProxy;
let behindProxy: TemporalClient;
let sweep: RedispatchOptions;
beforeAll(async () => {
  rig = await createWorkerRig();
  const { db, logger, config } = rig;
  const [, port] = config.TEMPORAL_ADDRESS.split(":");
  proxy = await createTcpProxy({ targetPort: Number(port) });
  behindProxy = createTemporalClient({ ...config, TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` });
  const { client } = behindProxy;
  const taskQueue = config.TEMPORAL_TASK_QUEUE;
  sweep = {
    db,
    client,
    dispatcher: createDispatcher({ client, taskQueue, deadlineMs: 30_000, logger }),
    marks: createDispatchMarks({ db, logger }),
    logger,
  };
});
afterEach(() => {
  proxy.restore();
});
afterAll(async () => {
  await sweep.marks.close();
  await behindProxy.close();
  await proxy.close();
  await rig.close();
});

/** Inserts a run whose component counts its executions under the run's name. */
async function insertCounted(name: string): Promise<string> {
  const components = [component("a", { action: "slow", with: { ms: 0, count: name } })];
  return await rig.startRun({ name, components, dispatch: false });
}

async function dispatch(
  id: string,
  { db, dispatcher }: Pick<WorkerRig, "db" | "dispatcher"> = rig,
): Promise<void> {
  const rows = await db.$queryRaw<DispatchableRow[]>`
    SELECT ${DISPATCHABLE_COLUMNS} FROM workflow_runs r ${DISPATCHABLE_JOINS} WHERE r.id = ${id}`;
  for (const row of rows) await dispatcher.dispatch(toDispatchableRun(row));
}

const ENDS = [
  { status: "canceled", code: "workflow_canceled" },
  { status: "failed", code: "dispatch_expired" },
  { status: "failed", code: "dispatch_rejected" },
] as const;

const end = (id: string, how: (typeof ENDS)[number]) =>
  endUndispatched(rig.db, { id, ...how, message: "ended by the test" });
const cancel = (id: string) => end(id, ENDS[0]);

/** Waits until Temporal has terminated the start of a run, and asserts that it left no trace. */
async function expectNeverRan(id: string, name: string): Promise<void> {
  const before = await rig.getRun(id);
  const handle = rig.client.workflow.getHandle(id);
  const closed = await waitFor("the stray to be closed", async () => {
    const description = await handle.describe();
    return description.closeTime !== undefined && description;
  });
  expect(closed.status.name).toBe("TERMINATED");
  const { events } = await handle.fetchHistory();
  const reason = events?.at(-1)?.workflowExecutionTerminatedEventAttributes?.reason;
  expect(reason).toContain("had ended before Temporal took its start");
  expect(events?.some((event) => event.activityTaskScheduledEventAttributes)).toBe(false);
  // A run that starts and ends after it: the reconciler has then seen both.
  const later = await rig.startRun({ components: [component("z")] });
  await rig.finished(later);
  await untilConfirmed(rig, later);
  expect(await rig.getRun(id)).toEqual(before);
  expect(before).toMatchObject({ temporalRunId: null, dispatchedAt: null, steps: [] });
  expect(executions.get(name)).toBeUndefined();
}

test.each(ENDS)("a start that lands after the run ended with $code", async (how) => {
  const name = `late-${how.code}`;
  const id = await insertCounted(name);
  proxy.freeze();
  const sweeping = redispatchRuns(sweep);
  await waitFor(
    "the sweeper's claim",
    async () => (await rig.getRun(id)).nextDispatchAt > new Date(),
  );
  expect(await end(id, how)).toBe(true);
  proxy.restore();
  await sweeping;
  await sweep.marks.close();
  expect(await rig.getRun(id)).toMatchObject({ status: how.status, errorCode: how.code });
  await expectNeverRan(id, name);
});

test("whichever comes first, the start's first record or the cancellation, the other yields", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `race-${index}`);
  const seen = await Promise.all(
    names.map(async (name, index) => {
      const id = await insertCounted(name);
      const starting = dispatch(id);
      // The first is canceled before anything, the last after everything, the others in between.
      if (index === names.length - 1) await rig.finished(id);
      else await new Promise((resolve) => setTimeout(resolve, index * 40));
      const isCanceled = await cancel(id);
      await starting;
      return { id, name, isCanceled };
    }),
  );
  expect(seen.map(({ isCanceled }) => isCanceled)).toContain(false);
  expect(seen[0]?.isCanceled).toBe(true);
  for (const { id, name, isCanceled } of seen) {
    if (!isCanceled) expect((await rig.finished(id)).status).toBe("completed");
    const handle = rig.client.workflow.getHandle(id);
    const { status } = await waitFor("the end in Temporal", async () => {
      const description = await handle.describe();
      return description.closeTime !== undefined && description;
    });
    expect([status.name, executions.get(name)]).toEqual(
      isCanceled ? ["TERMINATED", undefined] : ["COMPLETED", 1],
    );
    const run = await rig.getRun(id);
    expect([run.status, run.steps.length]).toEqual(isCanceled ? ["canceled", 0] : ["completed", 1]);
  }
});

test("nothing of a stray starts while it cannot be terminated, and nobody else waits for that", async () => {
  // The worker executes what it is given, but its client's calls to Temporal get nowhere.
  const held = await createWorkerRig({ clientAddress: () => `127.0.0.1:${proxy.port}` });
  const startOn = createDispatcher({
    client: rig.client,
    taskQueue: held.config.TEMPORAL_TASK_QUEUE,
    deadlineMs: 10_000,
    logger: rig.logger,
  });
  const of = (count: string) => ({
    components: [component("a", { action: "slow", with: { ms: 0, count } })],
    dispatch: false,
  });
  const [stray, other] = [await held.startRun(of("held")), await held.startRun(of("other"))];
  await endUndispatched(held.db, { id: stray, ...ENDS[0], message: "" });
  proxy.freeze();
  await dispatch(stray, { db: held.db, dispatcher: startOn });
  await waitFor("the stray's first task", async () => {
    const { events } = await rig.client.workflow.getHandle(stray).fetchHistory();
    return events?.some((event) => event.workflowTaskStartedEventAttributes);
  });
  await dispatch(other, { db: held.db, dispatcher: startOn });
  await held.finished(other);
  const described = () => rig.client.workflow.getHandle(stray).describe();
  expect([(await described()).status.name, executions.get("held")]).toEqual(["RUNNING", undefined]);
  proxy.restore();
  await waitFor("its end", async () => (await described()).status.name === "TERMINATED");
  expect(executions.get("held")).toBeUndefined();
  await held.close();
});

test("a stray is terminated when Temporal is back, and let go when it stays away", async () => {
  const idle = await createWorkerRig({ idle: true });
  const start = async () => {
    const run_id = await idle.startRun({ components: [component("a")] });
    const { runId: temporal_run_id } = await idle.client.workflow.getHandle(run_id).describe();
    return { run_id, temporal_run_id, why: "stray" as const };
  };
  const [patient, short] = [await start(), await start()];
  const options = { client: behindProxy.client, logger: rig.logger };
  proxy.freeze();
  const terminating = createStrayTerminator(options).terminate(patient);
  await createStrayTerminator({ ...options, patienceMs: 1_000 }).terminate(short);
  proxy.restore();
  await terminating;
  const { status } = await idle.client.workflow.getHandle(patient.run_id).describe();
  expect(status.name).toBe("TERMINATED");
  await idle.close();
});
