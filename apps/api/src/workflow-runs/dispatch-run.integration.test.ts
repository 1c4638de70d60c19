import { randomUUID } from "node:crypto";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { REPEAT_WINDOW_MINUTES } from "@truerun/shared/dispatch/dispatch-window";
import { newId } from "@truerun/shared/ids";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { defineWorkflow, insertRun } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

const DEADLINE_MS = 1_000;

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig({ DISPATCH_DEADLINE_MS: String(DEADLINE_MS) });
});
afterEach(() => {
  rig.temporalProxy.restore();
});
afterAll(async () => {
  await rig.close();
});

function run(name: string, idempotencyKey?: string, gateway: 0 | 1 = 0) {
  return rig.gateways[gateway].send("POST", `/v1/workflows/${name}/run`, {
    key: rig.org.key,
    body: '{"input":{"n":1.0}}',
    headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
  });
}

const findRuns = (workflowName: string) => rig.db.workflowRun.findMany({ where: { workflowName } });

async function expectDispatched(id: string): Promise<void> {
  await waitFor("the mark that the run was dispatched", async () => {
    const row = await rig.db.workflowRun.findUniqueOrThrow({ where: { id } });
    return row.dispatchedAt;
  });
}

/** Repeats the request until the gateway has reconnected to Temporal. */
async function untilTaken(name: string, idempotencyKey: string, gateway: 0 | 1) {
  return waitFor("Temporal to take the run again", async () => {
    const answer = await run(name, idempotencyKey, gateway);
    return answer.status === 502 ? undefined : answer;
  });
}

test.each([
  ["refuses connections", () => rig.temporalProxy.cut()],
  ["is silent", () => rig.temporalProxy.freeze()],
  ["is slower than the deadline", () => rig.temporalProxy.slow(2 * DEADLINE_MS)],
])(
  "while Temporal %s a run is created and answered 502 in time; its key and its id start it once",
  async (_, damage) => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    damage();
    const startedAt = Date.now();
    const failed = await run(name, idempotencyKey);
    expect(Date.now() - startedAt).toBeLessThan(DEADLINE_MS + 1_000);
    const [row, ...others] = await findRuns(name);
    expect(others).toEqual([]);
    const id = String(row?.id);
    expect([failed.status, failed.json]).toEqual([
      502,
      {
        detail: {
          code: "workflow_dispatch_failed",
          message: `Workflow run was created but could not be dispatched. Retry with the same workflow run id (${id}).`,
        },
      },
    ]);
    // This request's own try is over, so the sweeper no longer has to leave the run alone.
    await waitFor(
      "the run to be the sweeper's",
      async () => {
        const { nextDispatchAt } = await rig.db.workflowRun.findUniqueOrThrow({ where: { id } });
        return nextDispatchAt <= new Date();
      },
      1_500,
    );

    const stillFailed = await run(name, idempotencyKey, 1);
    expect([stillFailed.status, stillFailed.text]).toEqual([502, failed.text]);

    const unbound = await run(name);
    const unboundId = /\((cbwr_\w+)\)/.exec(unbound.text)?.[1] ?? "";
    expect(unbound.status).toBe(502);

    rig.temporalProxy.restore();
    const byKey = await untilTaken(name, idempotencyKey, 1);
    expect(byKey.status, byKey.text).toBe(201);
    expect(byKey.json).toMatchObject({ workflow_run_id: id, status: "started" });
    expect(byKey.text).toContain('"input":{"n":1.0}');
    expect(byKey.headers["idempotent-replayed"]).toBe("true");
    await expectDispatched(id);

    const byId = await untilTaken(name, unboundId, 0);
    expect([byId.status, byId.json["workflow_run_id"]]).toEqual([201, unboundId]);
    await expectDispatched(unboundId);
    expect(await findRuns(name)).toHaveLength(2);
  },
);

test("a repeat that comes too late to dispatch its run is told so", async () => {
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  rig.temporalProxy.cut();
  const failed = await run(name, idempotencyKey);
  expect(failed.status).toBe(502);
  rig.temporalProxy.restore();
  const startedAt = new Date(Date.now() - (REPEAT_WINDOW_MINUTES + 1) * 60_000);
  await rig.db.workflowRun.updateMany({ where: { workflowName: name }, data: { startedAt } });
  const repeat = await run(name, idempotencyKey, 1);
  expect([repeat.status, repeat.text]).toEqual([502, failed.text]);
  const [row] = await findRuns(name);
  expect(row).toMatchObject({ dispatchedAt: null, temporalRunId: null });
});

test("a repeat right behind its start needs no Temporal, though the mark is not committed yet", async () => {
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  const first = await run(name, idempotencyKey);
  const id = first.json["workflow_run_id"] as string;
  rig.temporalProxy.cut();
  const row = await rig.db.workflowRun.findUniqueOrThrow({ where: { id } });
  const repeat = await run(name, idempotencyKey);
  expect([repeat.status, repeat.text]).toEqual([201, first.text]);
  expect(row.dispatchedAt).toBeNull();
  await expectDispatched(id);
});

test("while a request tries to dispatch its run, the sweeper leaves the run alone", async () => {
  const { name } = await defineWorkflow(rig);
  rig.temporalProxy.freeze();
  const startedAt = Date.now();
  const answer = run(name);
  const [row] = await waitFor("the row", async () => {
    const rows = await findRuns(name);
    return rows.length > 0 && rows;
  });
  expect(row?.nextDispatchAt.getTime()).toBeGreaterThanOrEqual(startedAt + DEADLINE_MS + 1_000);
  expect((await answer).status).toBe(502);
});

test("a run that was canceled before it was dispatched is not dispatched by a repeat", async () => {
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  rig.temporalProxy.cut();
  expect((await run(name, idempotencyKey)).status).toBe(502);
  await rig.db.workflowRun.updateMany({
    where: { workflowName: name },
    data: { status: "canceled", completedAt: new Date() },
  });
  const repeat = await run(name, idempotencyKey);
  expect([repeat.status, repeat.json["status"]]).toEqual([201, "started"]);
});

test("a repeat goes on with the definition's version that the run was made with, even when it is deleted", async () => {
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  rig.temporalProxy.cut();
  expect((await run(name, idempotencyKey)).status).toBe(502);
  const deleted = await rig.gateways[0].send("DELETE", `/v1/workflows/${name}`, {
    key: rig.org.key,
  });
  expect(deleted.status).toBe(204);
  rig.temporalProxy.restore();
  const repeat = await untilTaken(name, idempotencyKey, 0);
  expect(repeat.status, repeat.text).toBe(201);
  await expectDispatched(String(repeat.json["workflow_run_id"]));
});

test("a run whose execution was deleted in Temporal is not started again by its key or its id", async () => {
  const temporal = createTemporalClient({
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: "default",
  });
  const { workflowService, workflow } = temporal.client;
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  const first = await run(name, idempotencyKey);
  const id = String(first.json["workflow_run_id"]);
  await expectDispatched(id);
  await workflowService.deleteWorkflowExecution({
    namespace: "default",
    workflowExecution: { workflowId: id },
  });
  const isGone = async (): Promise<boolean> => {
    const described = workflow.getHandle(id).describe();
    return await described.then(
      () => false,
      () => true,
    );
  };
  await waitFor("the deletion", isGone, 90_000);
  const ended = { status: "failed", completedAt: new Date(), errorCode: "execution_lost" };
  for (const data of [{}, ended]) {
    await rig.db.workflowRun.update({ where: { id }, data });
    for (const repeated of [idempotencyKey, id]) {
      const repeat = await run(name, repeated, 1);
      expect([repeat.status, repeat.text]).toEqual([201, first.text]);
      expect(await isGone()).toBe(true);
    }
  }
  expect(await findRuns(name)).toHaveLength(1);
  await temporal.close();
});

test("a child run is dispatched by its parent run alone, even when its id is used as a key", async () => {
  const definition = await defineWorkflow(rig);
  const row = { dispatchedAt: null, parentRunId: newId("cbwr") };
  const id = await insertRun(rig, definition, row);
  // A try to dispatch it would be answered 502.
  rig.temporalProxy.cut();
  const answer = await run(definition.name, id);
  expect([answer.status, answer.json["workflow_run_id"]]).toEqual([201, id]);
  expect(await findRuns(definition.name)).toMatchObject([row]);
});

test("readyz names Temporal while it does not answer", async () => {
  rig.temporalProxy.freeze();
  const answer = await rig.gateways[0].send("GET", "/readyz");
  expect([answer.status, answer.json]).toEqual([
    503,
    { detail: { code: "service_unavailable", message: "Temporal does not answer." } },
  ]);
  rig.temporalProxy.restore();
  await waitFor(
    "readiness",
    async () => (await rig.gateways[0].send("GET", "/readyz")).status === 200,
  );
});
