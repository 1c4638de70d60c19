// The gateway's side of a cancellation. That nothing runs after it is the worker's side: see its
// `terminate-stray.integration.test.ts`, and `e2e/cancel.e2e.test.ts` for everything together.
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { newId } from "@truerun/shared/ids";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

const FINISHED = {
  detail: { code: "workflow_run_finished", message: "Workflow run has already finished." },
};

let rig: TestRig;
let temporal: TemporalClient;
beforeAll(async () => {
  // Longer than a cancellation waits for Temporal, so that a start can still be under way after it has given up.
  rig = await createTestRig({ DISPATCH_DEADLINE_MS: "20000" });
  temporal = createTemporalClient({
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: "default",
  });
});
afterEach(() => {
  rig.temporalProxy.restore();
});
afterAll(async () => {
  await temporal.close();
  await rig.close();
});

const send = (method: string, path: string, options = {}) =>
  rig.gateways[1].send(method, `/v1/workflows/${path}`, { key: rig.org.plainKey, ...options });
const cancel = (id: string, options = {}) => send("POST", `runs/${id}/cancel`, options);
const handleOf = (id: string) => temporal.client.workflow.getHandle(id);
const findRun = (id: string) => rig.db.workflowRun.findUniqueOrThrow({ where: { id } });
const insertUndispatched = async () =>
  insertRun(rig, await defineWorkflow(rig), { dispatchedAt: null });

/** A run that Temporal has but no worker executes. */
async function startRun(gateway: 0 | 1 = 1): Promise<string> {
  const { name } = await defineWorkflow(rig);
  const path = `/v1/workflows/${name}/run`;
  const answer = await rig.gateways[gateway].send("POST", path, { key: rig.org.plainKey });
  const id = String(answer.json["workflow_run_id"]);
  await waitFor("the mark", async () => (await findRun(id)).dispatchedAt);
  return id;
}

async function countCancelRequests(id: string): Promise<number> {
  const { events } = await handleOf(id).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionCancelRequestedEventAttributes)
    .length;
}

/** No Temporal run has this id. */
async function expectUnknown(id: string): Promise<void> {
  await expect(handleOf(id).describe()).rejects.toThrow("not found");
}

describe("of a dispatched run", () => {
  test("asks Temporal and answers with the run; a second call and any body change nothing", async () => {
    const id = await startRun();
    const first = await cancel(id, { body: "{nonsense", headers: { "content-type": "text/x" } });
    expect([first.status, first.text]).toEqual([202, (await send("GET", `runs/${id}`)).text]);
    expect(first.json).toMatchObject({ workflow_run_id: id, status: "started" });
    expect((await cancel(id)).status).toBe(202);
    expect(await countCancelRequests(id)).toBe(1);
  });

  test("is taken fifty times at once", async () => {
    const id = await startRun();
    const answers = await Promise.all(Array.from({ length: 50 }, () => cancel(id)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(await countCancelRequests(id)).toBe(1);
  });

  test("is refused when Temporal has closed it, even while its row does not say so", async () => {
    const id = await startRun();
    await handleOf(id).terminate();
    const answer = await cancel(id);
    expect([answer.status, answer.json]).toEqual([409, FINISHED]);
    expect((await findRun(id)).status).toBe("started");
  });

  test("is refused when Temporal does not have it any more", async () => {
    const id = await insertRun(rig, await defineWorkflow(rig));
    const answer = await cancel(id);
    expect([answer.status, answer.json]).toEqual([409, FINISHED]);
  });

  test.each([
    ["is frozen", () => rig.temporalProxy.freeze()],
    ["is gone", () => rig.temporalProxy.cut()],
  ])("is a 503 in time while Temporal %s, and a repeat cancels it", async (_, damage) => {
    const id = await startRun();
    damage();
    const startedAt = Date.now();
    const answer = await cancel(id);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect([answer.status, answer.json]).toMatchObject([
      503,
      { detail: { code: "service_unavailable" } },
    ]);
    expect(answer.headers["retry-after"]).toBe("1");
    expect((await findRun(id)).status).toBe("started");
    rig.temporalProxy.restore();
    await waitFor("Temporal to be reached", async () => (await cancel(id)).status === 202);
    expect(await countCancelRequests(id)).toBe(1);
  });
});

describe("of a run that was not dispatched", () => {
  test("ends it, with the reason, and it is never dispatched", async () => {
    const { name } = await defineWorkflow(rig);
    rig.temporalProxy.cut();
    const headers = { "idempotency-key": "mine" };
    const failed = await send("POST", `${name}/run`, { headers });
    const id = /\((cbwr_\w+)\)/.exec(failed.text)?.[1] ?? "";
    rig.temporalProxy.restore();
    const answer = await cancel(id);
    expect([answer.status, answer.text]).toEqual([202, (await send("GET", `runs/${id}`)).text]);
    expect(answer.json).toMatchObject({ status: "canceled", steps: [] });
    expect(answer.json["completed_at"]).toBeTypeOf("number");
    expect((await send("GET", `runs/${id}?include=error`)).json["error"]).toEqual({
      code: "workflow_canceled",
      message: "The run was canceled before it was dispatched.",
    });
    for (const key of ["mine", id]) {
      const repeat = await send("POST", `${name}/run`, { headers: { "idempotency-key": key } });
      expect([repeat.status, repeat.json]).toMatchObject([201, { workflow_run_id: id }]);
    }
    await expectUnknown(id);
    expect((await cancel(id)).json).toEqual(FINISHED);
  });

  test("ends it once, however many ask", async () => {
    const id = await insertUndispatched();
    const answers = await Promise.all(Array.from({ length: 50 }, () => cancel(id)));
    const countOf = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
    expect([countOf(202), countOf(409)]).toEqual([1, 49]);
    expect((await findRun(id)).status).toBe("canceled");
  });

  test("goes to Temporal when that has it and only the mark is late", async () => {
    const id = await insertUndispatched();
    await temporal.client.workflow.start("late", { workflowId: id, taskQueue: "nobody" });
    expect((await cancel(id)).status).toBe(202);
    expect(await countCancelRequests(id)).toBe(1);
    expect(await findRun(id)).toMatchObject({ status: "started", confirmedAt: null });
  });

  test("ends it in time while Temporal is frozen; a start that lands later does not change the row", async () => {
    const { name } = await defineWorkflow(rig);
    rig.temporalProxy.freeze();
    const starting = rig.gateways[0].send("POST", `/v1/workflows/${name}/run`, {
      key: rig.org.key,
    });
    const { id } = await waitFor("the row", () =>
      rig.db.workflowRun.findFirst({ where: { workflowName: name } }),
    );
    const startedAt = Date.now();
    expect((await cancel(id)).json).toMatchObject({ status: "canceled" });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    const canceled = await findRun(id);
    rig.temporalProxy.restore();
    expect((await starting).status).toBe(201);
    expect((await handleOf(id).describe()).status.name).toBe("RUNNING");
    // Once another run's mark is written, this run's would have been, too.
    await startRun(0);
    expect(await findRun(id)).toEqual(canceled);
    expect(canceled).toMatchObject({ dispatchedAt: null, temporalRunId: null });
  });
});

test.each(["completed", "failed", "canceled"])("of a %s run is refused", async (status) => {
  const run = { status, completedAt: new Date() };
  const answer = await cancel(await insertRun(rig, await defineWorkflow(rig), run));
  expect([answer.status, answer.json]).toEqual([409, FINISHED]);
});

test.each(["nope", "cbwr_%00", "%E0%A4%A", newId("cbwr")])("of %s is a 404", async (id) => {
  const detail = { code: "workflow_run_not_found", message: "Workflow run not found." };
  const answer = await cancel(id);
  expect([answer.status, answer.json]).toEqual([404, { detail }]);
});

test("of another org's run is that same 404, and cancels nothing", async () => {
  const ids = [await startRun(), await insertUndispatched()];
  for (const id of ids) {
    const foreign = await cancel(id, { key: rig.otherOrg.key });
    const missing = await cancel(newId("cbwr"), { key: rig.otherOrg.key });
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
    expect((await findRun(id)).status).toBe("started");
  }
  expect(await countCancelRequests(ids[0] ?? "")).toBe(0);
});
