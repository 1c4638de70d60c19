// One org's many runs must not hold up another's: Temporal takes the orgs' tasks in turn.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { newId } from "@truerun/shared/ids";
import { afterEach, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
afterEach(() => rig.close());

/** Starts so many runs of one org, some at a time. @returns its id */
async function flood(count: number, components: ComponentDefinition[]): Promise<string> {
  const orgId = newId("cborg");
  let next = 0;
  const lane = async () => {
    while (next < count) await rig.startRun({ orgId, name: `w-${next++}`, components });
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return orgId;
}

const endedOf = (orgId: string) =>
  rig.db.workflowRun.count({ where: { orgId, status: { not: "started" } } });

test("a run that is queued last ends before most of another org's queue", async () => {
  rig = await createWorkerRig({ idle: true });
  const busy = await flood(200, [component("only")]);
  const id = await rig.startRun({
    components: [component("one", { next: [{ to: "two", on: "success" }] }), component("two")],
  });
  await rig.startWorker();
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await endedOf(busy)).toBeLessThan(100);
});

test("a component does not wait behind all of another org's", async () => {
  rig = await createWorkerRig({ environment: { WORKER_MAX_ACTIVITIES: "1" } });
  const busy = await flood(60, [component("only", { action: "slow", with: { ms: 100 } })]);
  await waitFor("every run to wait for its component", async () => {
    return (await rig.db.workflowRunStep.count()) === 60;
  });
  const before = await endedOf(busy);
  const id = await rig.startRun({ components: [component("only")] });
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await endedOf(busy)).toBeLessThan(Math.max(before + 15, 45));
});
