// One org's many runs must not hold up another's: Temporal takes the orgs' tasks in turn.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { pause } from "@truerun/shared/pause";
import { newId } from "@truerun/shared/ids";
import { afterEach, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
afterEach(() => rig.close());

/** Starts `count` runs of one org, some at a time. @returns its id */
async function flood(count: number, components: ComponentDefinition[]): Promise<string> {
  const orgId = newId("cborg");
  let next = 0;
  const lane = async () => {
    while (next < count) await rig.startRun({ orgId, name: `w-${next++}`, components });
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return orgId;
}

const next = (to: string) => ({ next: [{ to, on: "success" as const }] });
const FOUR_STEPS = [
  component("one", next("two")),
  component("two", next("three")),
  component("three", next("four")),
  component("four"),
];

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

test("a queue that comes upon an idle worker holds up nobody else for long either", async () => {
  rig = await createWorkerRig();
  // By then it takes on all that comes.
  await pause(5_500);
  const busy = await flood(300, FOUR_STEPS);
  const before = await endedOf(busy);
  const id = await rig.startRun({ components: FOUR_STEPS });
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await endedOf(busy)).toBeLessThan(before + 50);
});

test("runs that have begun go on before others begin, so that few wait for their next task", async () => {
  rig = await createWorkerRig({ idle: true });
  const queued = await flood(100, FOUR_STEPS);
  await rig.startWorker();
  let most = 0;
  await waitFor("every run's end", async () => {
    const [row] = await rig.db.$queryRaw<{ begun: number }[]>`
      SELECT count(*)::int AS begun FROM workflow_runs r WHERE r.status = 'started'
        AND EXISTS (SELECT FROM workflow_run_steps s WHERE s.run_id = r.id)`;
    most = Math.max(most, row?.begun ?? 0);
    return (await endedOf(queued)) === 100;
  });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(5 * rig.config.WORKER_MAX_WORKFLOW_TASKS);
});
