// A release with a new component is rolled out: some workers know it, some do not, and all share one task queue.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { z } from "zod";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Component, defineComponent } from "./component.ts";
import { connectWorker } from "./connect-worker.ts";
import { component, local, retryEvery } from "./testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "./testing/worker-rig.ts";
import { createRunWorker } from "./worker.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

/** As the first worker that knows it does. */
async function publish(actionType: string): Promise<void> {
  const about = { title: "New", description: "New" };
  const schemas = { inputSchema: {}, outputSchema: {}, defaults: {} };
  await rig.db.componentType.create({ data: { actionType, ...about, ...schemas } });
}

function define(action: string): Component {
  return defineComponent({
    action,
    title: "New",
    description: "New",
    input: z.object({}),
    output: z.string(),
    run: () => Promise.resolve({ output: "done" }),
  }) as unknown as Component;
}

/** Starts a worker that knows these actions, beside the rig's. @returns a function that stops it */
async function startNewWorker(actions: readonly string[]): Promise<() => Promise<void>> {
  const { config, client, db, logger } = rig;
  const connection = await connectWorker(config);
  const run = await createRunWorker({
    config,
    client,
    db,
    mirrorDb: db,
    logger,
    connection,
    components: new Map(actions.map((action) => [action, define(action)])),
  });
  const ended = run.worker.run();
  return async () => {
    run.worker.shutdown();
    await ended;
    await run.close();
    await connection.close();
  };
}

/** The attempts that Temporal has scheduled of a run's activities. */
async function attemptsOf(id: string): Promise<number[]> {
  const { raw } = await rig.client.workflow.getHandle(id).describe();
  return (raw.pendingActivities ?? []).map(({ attempt }) => attempt ?? 0);
}

const retry = retryEvery("10m", 1);

test("attempts that come to a worker without the action are handed on, and do not count", async () => {
  const actions = ["new_action", "new_local_action"] as const;
  for (const action of actions) await publish(action);
  const id = await rig.startRun({
    components: [
      component("a", { action: actions[0], retry, with: {} }),
      local("b", { action: actions[1], retry, with: {} }),
    ],
  });
  await waitFor("the third attempt of both", async () => {
    const attempts = await attemptsOf(id);
    return attempts.length === 2 && attempts.every((attempt) => attempt >= 3);
  });
  const stop = await startNewWorker(actions);
  const ended = await rig.finished(id);
  await stop();
  expect(ended.status).toBe("completed");
  expect(ended.steps.map(({ status, output }) => [status, output])).toEqual([
    ["success", "done"],
    ["success", "done"],
  ]);
});

test("an action that leaves the catalogue fails its steps", async () => {
  const action = "withdrawn";
  await publish(action);
  const id = await rig.startRun({ components: [component("a", { action, retry, with: {} })] });
  await waitFor("its second attempt", async () => (await attemptsOf(id))[0] === 2);
  await rig.db.componentType.delete({ where: { actionType: action } });
  expect((await rig.finished(id)).steps).toMatchObject([
    { status: "failed", message: "No worker knows this action." },
  ]);
});
