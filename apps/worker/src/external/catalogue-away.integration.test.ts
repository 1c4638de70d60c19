// Steps whose declaration only the catalogue has, while the database that it is in is away or slow.
import { NativeConnection, Worker } from "@temporalio/worker";
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { uniqueName } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { pause } from "@truerun/shared/pause";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectProjected } from "../testing/expect-projected.ts";
import { component } from "../testing/rig-runs.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { parseExternalComponent } from "./external-component.ts";

const TASK_QUEUE = uniqueName("other-team");
const declared = parseExternalComponent({
  action_type: "declared",
  title: "For tests",
  description: "For tests",
  task_queue: TASK_QUEUE,
  input_schema: { type: "object" },
  output_schema: { type: "integer" },
});

let rig: WorkerRig;
let database: TcpProxy;
let connection: NativeConnection;
let other: Worker;
let otherEnded: Promise<void>;
/** What the other team's component waits for, and how often it was executed. */
let gate: Promise<void>;
let executions = 0;

async function act(): Promise<{ output: number }> {
  executions++;
  await gate;
  return { output: 1 };
}

beforeAll(async () => {
  database = await createTcpProxy({ targetPort: 0 });
  rig = await createWorkerRig({
    externalComponents: new Map([[declared.action, declared]]),
    workerUrl(url) {
      const address = new URL(url);
      database.retarget(Number(address.port));
      address.port = String(database.port);
      return address.href;
    },
  });
  const { title, description, inputSchema, outputSchema, taskQueue } = declared;
  const about = { title, description, inputSchema, outputSchema, defaults: {}, taskQueue };
  await rig.db.componentType.create({ data: { actionType: "published", ...about } });
  connection = await NativeConnection.connect({ address: rig.config.TEMPORAL_ADDRESS });
  const activities = { published: act, declared: act };
  other = await Worker.create({ connection, taskQueue: TASK_QUEUE, activities });
  otherEnded = other.run();
});
afterEach(() => {
  database.restore();
  gate = Promise.resolve();
  executions = 0;
});
afterAll(async () => {
  other.shutdown();
  await otherEnded;
  await connection.close();
  await rig.close();
  await database.close();
});

function external(key: string, given: Partial<ComponentDefinition> = {}): ComponentDefinition {
  return component(key, { action: "published", with: {}, task_queue: TASK_QUEUE, ...given });
}

/** Its history can be replayed, and the tables say what it says. */
async function expectConfirmed(id: string): Promise<void> {
  await untilConfirmed(rig, id);
  await expectProjected(rig, id);
}

/** More tries than were ever made in all. */
async function untilTriedAgain(id: string): Promise<void> {
  await waitFor("several tries", async () => {
    const { events } = await rig.client.workflow.getHandle(id).fetchHistory();
    const tries = events?.filter((event) => event.markerRecordedEventAttributes?.failure != null);
    return (tries?.length ?? 0) >= 4;
  });
}

test.each([
  ["gone", () => database.cut()],
  ["frozen", () => database.freeze()],
])("while Postgres is %s an input waits to be checked", async (_how, damage) => {
  damage();
  const id = await rig.startRun({ components: [external("step")] });
  await untilTriedAgain(id);
  expect(executions).toBe(0);
  expect((await rig.getRun(id)).steps).toMatchObject([{ status: null }]);
  database.restore();
  expect((await rig.finished(id)).steps).toMatchObject([{ status: "success", output: 1 }]);
  await expectConfirmed(id);
});

test("what the component did while Postgres went away is its step's result in the end", async () => {
  let open = (): void => undefined;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const id = await rig.startRun({ components: [external("step")] });
  await waitFor("the component", () => executions === 1);
  database.cut();
  open();
  await untilTriedAgain(id);
  expect((await rig.getRun(id)).steps).toMatchObject([{ status: null }]);
  database.restore();
  expect((await rig.finished(id)).steps).toMatchObject([{ status: "success", output: 1 }]);
  expect(executions).toBe(1);
  await expectConfirmed(id);
});

test("Temporal is told nothing of the database, and a run that waits for it can be canceled", async () => {
  database.cut();
  const id = await rig.startRun({ components: [external("step"), external("another")] });
  await untilTriedAgain(id);
  const handle = rig.client.workflow.getHandle(id);
  const { events } = await handle.fetchHistory();
  const failures = events?.flatMap((event) => event.markerRecordedEventAttributes?.failure ?? []);
  expect(failures?.length).toBeGreaterThan(0);
  for (const failure of failures ?? []) {
    expect(failure).toMatchObject({
      message: "The database did not answer.",
      applicationFailureInfo: { type: "DatabaseUnavailable", nonRetryable: false },
    });
  }
  await handle.cancel();
  const run = await rig.finished(id);
  expect(run.status).toBe("canceled");
  expect(run.steps.map(({ message }) => message)).toEqual([
    "The run was canceled.",
    "The run was canceled.",
  ]);
  await expectConfirmed(id);
});

test("checks that end in another order than they began can be replayed", {
  timeout: 90_000,
}, async () => {
  const count = 24;
  const items = Array.from({ length: count }, (_, index) => index);
  const ids = await Promise.all([
    rig.startRun({ components: items.map((n) => external(`step_${n}`)) }),
    rig.startRun({ components: [external("each", { for_each: items, max_concurrency: 8 })] }),
  ]);
  for (let round = 0; round < 25; round++) {
    database.cut();
    await pause(60);
    database.restore();
    await pause(60);
  }
  for (const id of ids) {
    const run = await rig.finished(id, 60_000);
    expect(run.steps.map(({ status }) => status)).toEqual(items.map(() => "success"));
    await expectConfirmed(id);
  }
  expect(executions).toBe(2 * count);
});
