import { waitFor } from "@truerun/dev/testing/wait-for";
import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectProjected, UNCONFIRMED } from "../testing/expect-projected.ts";
import type { Shape } from "../testing/shape.ts";
import { SHAPES, shapeOf } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { executions } from "../testing/test-components.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { keepGoneBatches, projectRun } from "./project-history.ts";
import { readRunRows } from "./run-rows.ts";
import { writeProjection } from "./write-projection.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

describe("tables equal the projection, and the projection what happened", () => {
  for (const shape of SHAPES) {
    test.concurrent(shape.name, async () => {
      const id = await startShape(rig, shape);
      const seen = endsInCode(shape) ? await rig.finished(id) : await projectedAfterClose(id);
      expect(seen.status).toBe(shape.ends);
      expect(seen.steps.map((step) => `${step.stepKey}: ${step.status}`)).toEqual(shape.steps);
      expect(seen.steps.map((step) => step.ordinal)).toEqual(seen.steps.map((_, index) => index));
      await expectProjected(rig, id, UNCONFIRMED);
    });
  }
});

test("a step's row is there, without a status, while its component runs", async () => {
  const id = await rig.startRun({
    components: [component("a", { action: "slow", with: { ms: 1_500 } })],
  });
  const during = await waitFor("the row of the running step", async () => {
    const run = await rig.getRun(id);
    // The row of the run is read before those of its steps.
    return run.steps.length === 1 && run.dispatchedAt !== null && run;
  });
  expect(during.steps[0]).toMatchObject({
    status: null,
    message: null,
    output: null,
    attempt: null,
  });
  const after = await rig.finished(id);
  expect(after.steps[0]).toMatchObject({
    status: "success",
    output: { waited: 1_500 },
    attempt: 1,
  });
  expect(after.steps[0]?.createdAt).toEqual(during.steps[0]?.createdAt);
});

test("messages name what happened to a step", async () => {
  const timedOut = await rig.finished(await startShape(rig, shapeOf("an attempt times out")));
  expect(timedOut.steps[0]?.message).toBe("The component did not finish within its timeout.");
  expect(timedOut.errorCode).toBe("component_failed");
  const failed = await rig.finished(
    await startShape(rig, shapeOf("a failure ends the run and its sibling")),
  );
  expect(failed.steps[0]?.message).toBe("broken \ufffd \ufffd");
  expect(failed.steps[1]?.message).toContain("Canceled because the run failed");
  const refused = await rig.finished(await startShape(rig, shapeOf("a wait that cannot be")));
  expect(refused.steps[0]?.message).toContain('`until` is "tomorrow"');
  const ended = await rig.finished(await startShape(rig, shapeOf("the action fail")));
  expect(ended).toMatchObject({ errorCode: "workflow_failed", errorMessage: "Stopped: no budget" });
  expect(ended.steps[0]?.message).toBe("Stopped: no budget");
  const unknown = await rig.finished(await startShape(rig, shapeOf("an unknown action")));
  expect(unknown.steps[0]?.message).toBe("No worker knows this action.");
});

test("a component that does not answer its cancellation does not hold the run's end back", async () => {
  const id = await rig.startRun({
    components: [
      component("bad", { action: "flaky", with: { retryable: false } }),
      component("deaf", { action: "deaf", with: { ms: 12_000 } }),
    ],
  });
  const ended = await rig.finished(id);
  expect(ended.status).toBe("failed");
  expect(ended.steps[1]?.message).toContain("did not answer within 10 s");
  await expectProjected(rig, ended.id, UNCONFIRMED);
});

test("a reset takes back the end and the steps behind it, and the row follows the new Temporal run", async () => {
  const id = await rig.startRun({
    components: [
      component("a", { next: [{ to: "b", on: "success" }] }),
      // Long enough for the row to be seen while this runs: the row follows only after a replay.
      component("b", { action: "slow", with: { ms: 8_000 }, next: [{ to: "c", on: "success" }] }),
      component("c"),
    ],
  });
  const before = await rig.finished(id);
  // The workflow task that saw a's result.
  const runId = await rig.reset(before, 10);
  const reopened = await waitFor("the row of the new Temporal run", async () => {
    const run = await rig.getRun(id);
    return run.temporalRunId === runId && run;
  });
  expect(reopened).toMatchObject({
    status: "started",
    completedAt: null,
    generation: 1,
    stepCount: null,
  });
  expect(reopened.steps.map((step) => `${step.stepKey}: ${step.status}`)).toEqual([
    "a: success",
    "b: null",
  ]);
  const again = await rig.finished(id);
  expect(again.steps.map((step) => step.status)).toEqual(["success", "success", "success"]);
  await expectProjected(rig, again.id, UNCONFIRMED);
});

test("while Postgres is away runs go on, no component runs twice, and the rows come when it is back", async () => {
  const database = { proxy: await createTcpProxy({ targetPort: 0 }) };
  const away = await createWorkerRig({
    mirrorUrl(url) {
      database.proxy.retarget(Number(new URL(url).port));
      const through = new URL(url);
      through.port = String(database.proxy.port);
      return through.href;
    },
  });
  const count = crypto.randomUUID();
  const id = await away.startRun({
    components: [
      component("a", { action: "slow", with: { ms: 500 }, next: [{ to: "b", on: "success" }] }),
      component("b", {
        action: "slow",
        with: { ms: 10, count },
        next: [{ to: "c", on: "success" }],
      }),
      component("c"),
    ],
  });
  await waitFor("the first step", async () => (await away.getRun(id)).steps.length === 1);
  database.proxy.cut();
  await waitFor("the end in Temporal", async () => {
    const { status } = await away.client.workflow.getHandle(id).describe();
    return status.name === "COMPLETED";
  });
  expect((await away.getRun(id)).status).toBe("started");
  database.proxy.restore();
  const ended = await away.finished(id);
  expect(ended.steps.map((step) => step.status)).toEqual(["success", "success", "success"]);
  expect(executions.get(count)).toBe(1);
  await expectProjected(away, id, UNCONFIRMED);
  await away.close();
  await database.proxy.close();
});

/** Whether workflow code runs at this shape's end. Where none does, the tables wait for a projection. */
function endsInCode(shape: Shape): boolean {
  return shape.operator?.action !== "terminate" && shape.timeout === undefined;
}

async function projectedAfterClose(id: string): Promise<RunRow> {
  await waitFor(`Temporal to close ${id}`, async () => {
    const { status } = await rig.client.workflow.getHandle(id).describe();
    return status.name !== "RUNNING";
  });
  const row = await rig.getRun(id);
  const projection = await projectRun(rig, id, row.temporalRunId ?? "");
  const rows = await readRunRows(rig.db, id);
  if (rows === null) throw new Error("The run has no row");
  const whole = keepGoneBatches(projection, rows);
  expect(await writeProjection(rig.db, whole, rows)).toBe(true);
  return await rig.getRun(id);
}
