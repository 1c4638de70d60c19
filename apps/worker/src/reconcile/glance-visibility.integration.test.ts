import type { Client } from "@temporalio/client";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { createClosedRunsPass } from "./closed-runs.ts";
import { createGlances } from "./glance-visibility.ts";
import type { Walk } from "./walk-visibility.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig({ idle: true });
});
afterAll(() => rig.close());

const startRun = () => rig.startRun({ components: [component("a")] });

/** A run that Temporal has closed. */
async function terminated(): Promise<string> {
  const id = await startRun();
  await rig.client.workflow.getHandle(id).terminate();
  return id;
}

const isConfirmed = async (id: string) => (await rig.getRun(id)).confirmedAt !== null;

/** A walk over closed runs with a cursor of its own, and how often it visited each. */
function countVisits(cursor: string): { walk: Walk; visits: Map<string, number> } {
  const visits = new Map<string, number>();
  const walk: Walk = {
    ...rig,
    cursor,
    field: "CloseTime",
    filter: 'ExecutionStatus != "Running"',
    async visit(executions) {
      for (const { workflowId: id } of executions) visits.set(id, (visits.get(id) ?? 0) + 1);
    },
  };
  return { walk, visits };
}

/** The client with Temporal's list as it would be if some entries came into it late. */
function withLateEntries(isLate: (workflowId: string) => boolean): Client {
  const { workflowService: real } = rig.client;
  const workflowService = Object.create(real) as typeof real;
  type List = typeof real.listWorkflowExecutions;
  const list = async (request: Parameters<List>[0]) => {
    const page = await real.listWorkflowExecutions(request);
    page.executions = page.executions.filter(
      ({ execution }) => !isLate(execution?.workflowId ?? ""),
    );
    return page;
  };
  workflowService.listWorkflowExecutions = list as List;
  return Object.create(rig.client, { workflowService: { value: workflowService } }) as Client;
}

test("an entry that comes into the list behind later ones is found by the next walk", async () => {
  const late = await terminated();
  let isThere = false;
  const client = withLateEntries((id) => id === late && !isThere);
  const pass = createClosedRunsPass({ ...rig, client }, { walkEveryMs: 2_000 });
  await pass();
  const { closeTime } = await rig.client.workflow.getHandle(late).describe();
  await waitFor("a second", () => Date.now() > Number(closeTime) + 1_000);
  const later = await terminated();
  await waitFor("the later run's end", async () => {
    await pass();
    return await isConfirmed(later);
  });
  expect(await isConfirmed(late)).toBe(false);
  isThere = true;
  await waitFor("the late entry", async () => {
    await pass();
    return await isConfirmed(late);
  });
});

test("between two walks each run is visited once, however many there are", async () => {
  await terminated();
  const { walk, visits } = countVisits("once");
  const pass = createGlances(walk, { walkEveryMs: 600_000 });
  await pass();
  const ids = await Promise.all(Array.from({ length: 12 }, terminated));
  await waitFor("all of them", async () => {
    expect(await pass()).toBe(false);
    return ids.every((id) => visits.has(id));
  });
  await pass();
  expect(ids.map((id) => visits.get(id))).toEqual(ids.map(() => 1));
});

test("a pass that failed is followed by a walk", async () => {
  await terminated();
  const { walk, visits } = countVisits("failing");
  let failing: string | null = null;
  const pass = createGlances(
    {
      ...walk,
      async visit(executions) {
        if (executions.some(({ workflowId }) => workflowId === failing)) throw new Error("planned");
        await walk.visit(executions);
      },
    },
    { walkEveryMs: 600_000 },
  );
  await pass();
  failing = await terminated();
  await waitFor("the failure", async () => {
    const error = await pass().catch(String);
    return String(error).includes("planned");
  });
  // The next run is so much newer that a glance would not find this one.
  const failed = failing;
  const { closeTime } = await rig.client.workflow.getHandle(failed).describe();
  await waitFor("a second", () => Date.now() > Number(closeTime) + 1_000);
  failing = null;
  const later = await terminated();
  await waitFor("both runs", async () => {
    await pass();
    return visits.has(failed) && visits.has(later);
  });
});
