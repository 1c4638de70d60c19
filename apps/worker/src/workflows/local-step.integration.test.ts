// Steps inside workflow tasks, on a real Temporal. How they are mirrored: `mirror.integration.test.ts`; what
// becomes of those that end their process: `hostile-components.integration.test.ts`.
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@truerun/shared/ids";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component, local, retryEvery } from "../testing/rig-runs.ts";
import { chain, to } from "../testing/shape.ts";
import { executions } from "../testing/test-components.ts";
import { expectProjected, UNCONFIRMED } from "../testing/expect-projected.ts";
import { createWorkerCopy } from "../testing/worker-copy.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

const KB = 1024;

async function eventsOf(id: string) {
  const { events } = await rig.client.workflow.getHandle(id).fetchHistory();
  return events ?? [];
}

type Event = Awaited<ReturnType<typeof eventsOf>>[number];

function isTaskEnd(event: Event): boolean {
  return event.workflowTaskCompletedEventAttributes != null;
}

/** Counts the events of a run by what a step can cost. */
async function costsOf(id: string) {
  const events = await eventsOf(id);
  return {
    tasks: events.filter(isTaskEnd).length,
    activities: events.filter((event) => event.activityTaskScheduledEventAttributes != null).length,
    markers: events.filter((event) => event.markerRecordedEventAttributes != null).length,
  };
}

/** An end that is to be projected first has no digest; the steps' own digests are compared. */
const BEFORE_PROJECTION = [...UNCONFIRMED, "steps_digest"];

function localChain(count: number, given?: Parameters<typeof local>[1]) {
  return chain(Array.from({ length: count }, (_, n) => local(`s${n}`, given)));
}

test("three steps share one workflow task, and each is named in Temporal by its key", async () => {
  const id = await rig.startRun({ components: localChain(3) });
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await costsOf(id)).toEqual({ tasks: 1, activities: 0, markers: 3 });
  const summaries = (await eventsOf(id)).flatMap(
    (event) => event.userMetadata?.summary?.data ?? [],
  );
  expect(summaries.map((data) => JSON.parse(Buffer.from(data).toString()) as unknown)).toEqual(
    expect.arrayContaining(["s0", "s1", "s2"]),
  );
});

test("a hundred steps, and a fan-out over three hundred items, come to their end and are projected", async () => {
  const long = await rig.startRun({ components: localChain(100) });
  const wide = await rig.startRun({
    components: [
      local("each", {
        for_each: Array.from({ length: 300 }, (_, n) => n),
        max_concurrency: 10,
        with: { value: "${{ item }}" },
        next: [{ to: "after", on: "success" }],
      }),
      local("after", { with: { value: "${{ steps.each.output[299] }}" } }),
    ],
  });
  const chained = await rig.finished(long);
  expect(chained.steps.map(({ status }) => status)).toEqual(Array(100).fill("success"));
  expect((await costsOf(long)).tasks).toBeLessThan(5);
  await expectProjected(rig, long, BEFORE_PROJECTION);
  const fanned = await rig.finished(wide);
  expect(fanned.steps).toHaveLength(301);
  expect(fanned.steps.at(-1)).toMatchObject({ stepKey: "after", output: 299 });
  await expectProjected(rig, wide, BEFORE_PROJECTION);
});

test("results of more than one message takes go over several workflow tasks", async () => {
  const id = await rig.startRun({
    components: localChain(20, { action: "produce", with: { size: 250 * KB } }),
  });
  expect((await rig.finished(id)).status).toBe("completed");
  expect(await costsOf(id)).toMatchObject({ activities: 0, markers: 20 });
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("attempts after the first run outside of the workflow task, and are counted on", async () => {
  const retry = retryEvery("10ms", 3);
  const id = await rig.startRun({
    components: [
      local("late", { action: "flaky", with: { succeed_at: 3 }, retry, next: [to("never")] }),
      local("never", { action: "flaky", with: {}, retry, on_failure: "continue" }),
      local("schedule", { action: "schedule", with: {}, retry }),
    ],
  });
  const { status, steps } = await rig.finished(id);
  expect(status).toBe("completed");
  const byKey = Object.fromEntries(steps.map((step) => [step.stepKey, step]));
  expect(byKey).toMatchObject({
    late: { status: "success", attempt: 3, output: { attempt: 3 } },
    never: { status: "failed", attempt: 3 },
    schedule: { status: "success", attempt: 2 },
  });
  const times = byKey["schedule"]?.output as { first: number; second: number } | undefined;
  expect(times?.first).toBeGreaterThan(0);
  expect(times?.second).toBe(times?.first);
  expect(await costsOf(id)).toMatchObject({ activities: 3 });
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("what is larger than a workflow task takes runs outside of it", async () => {
  const id = await rig.startRun({
    input: { text: "x".repeat(300 * KB) },
    components: [
      local("result", { action: "produce", with: { size: 300 * KB } }),
      local("input", { action: "measure", with: { value: "${{ input.text }}" } }),
    ],
  });
  const { status, steps } = await rig.finished(id);
  expect(status).toBe("completed");
  expect(steps.map(({ output }) => output)).toContain(300 * KB);
  // The large result was tried inside first; the large input was not.
  expect(await costsOf(id)).toMatchObject({ activities: 2, markers: 1 });
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("a step's row is there while its component runs, which is told of its step as any is", async () => {
  const id = await rig.startRun({
    components: [
      local("told", { action: "who", with: {}, next: [{ to: "slow", on: "success" }] }),
      local("slow", { action: "slow", with: { ms: 1_500 } }),
    ],
  });
  const during = await waitFor("the second step", async () => {
    const run = await rig.getRun(id);
    return run.steps.length === 2 && run;
  });
  expect(during.steps).toMatchObject([
    {
      stepKey: "told",
      status: "success",
      output: { stepKey: "told", key: `${id}:told`, attempt: 1 },
    },
    { stepKey: "slow", status: null, attempt: null },
  ]);
  await rig.finished(id);
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("a component's last words count when the run is canceled, and nothing begins after it", async () => {
  const id = await rig.startRun({
    components: [
      local("slow", {
        action: "slow",
        with: { ms: 1_500 },
        next: [{ to: "after", on: "success" }],
      }),
      local("after", {
        action: "slow",
        with: { ms: 1_500 },
        next: [{ to: "never", on: "success" }],
      }),
      local("never"),
    ],
  });
  await waitFor("the first step", async () => (await rig.getRun(id)).steps.length === 1);
  await rig.client.workflow.getHandle(id).cancel();
  const { status, steps } = await rig.finished(id);
  expect(status).toBe("canceled");
  expect(steps.map((step) => `${step.stepKey}: ${step.status}`)).toEqual([
    "slow: success",
    "after: success",
  ]);
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("an attempt after the first, outside of the workflow task, is canceled with its run", async () => {
  const count = newId("cbwr");
  const retry = retryEvery("10ms", 5);
  const id = await rig.startRun({
    components: [
      local("slow", { action: "slow", with: { ms: 60_000, count }, timeout: "5s", retry }),
    ],
  });
  await waitFor("the second attempt", () => executions.get(count) === 2);
  await rig.client.workflow.getHandle(id).cancel();
  const { status, steps } = await rig.finished(id);
  expect(status).toBe("canceled");
  expect(steps).toMatchObject([{ status: "failed", message: "The run was canceled." }]);
  expect(executions.get(count)).toBe(2);
  expect(await costsOf(id)).toMatchObject({ activities: 1 });
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

test("a regular component beside local ones takes its effect at its time", async () => {
  const id = await rig.startRun({
    components: [
      component("regular", { action: "slow", with: { ms: 300 } }),
      ...localChain(6, { action: "slow", with: { ms: 1_000 } }),
    ],
  });
  expect((await rig.finished(id)).status).toBe("completed");
  await expectProjected(rig, id, BEFORE_PROJECTION);
});

const NOTES = `
import { appendFileSync } from "node:fs";
import { z } from "zod";
import { defineComponent } from "../component.js";
export default defineComponent({
  action: "notes",
  title: "Notes",
  description: "For tests",
  execution: "local",
  input: z.object({ file: z.string(), ms: z.number() }),
  output: z.number(),
  async run({ input, stepKey }) {
    appendFileSync(input.file, stepKey + "\\n");
    await new Promise((resolve) => setTimeout(resolve, input.ms));
    return { output: process.pid };
  },
});
`;

test.concurrent.for(["SIGTERM", "SIGKILL"] as const)(
  "after a worker's %s another one does what was not done, and nothing that Temporal had been told",
  async (signal) => {
    const idle = await createWorkerRig({ idle: true });
    const copy = await createWorkerCopy({ "notes.js": NOTES });
    const file = join(tmpdir(), `${newId("cbwr")}.notes`);
    const note = async () =>
      (await readFile(file, "utf8").catch(() => "")).split("\n").slice(0, -1);
    try {
      const first = await copy.start(idle.config);
      const id = await idle.startRun({
        components: localChain(6, { action: "notes", with: { file, ms: 800 } }),
      });
      // The first workflow task has ended by then.
      await waitFor("the fifth step", async () => (await note()).length === 5);
      await first.stop(signal, 30_000);
      const begun = (await note()).length;
      const { markers: told } = await costsOf(id);
      await copy.start(idle.config);
      const { status, steps } = await idle.finished(id);
      expect(status).toBe("completed");
      expect(steps.map((step) => step.status)).toEqual(Array(6).fill("success"));
      const all = await note();
      expect(told).toBeGreaterThan(0);
      // A worker that is asked to end finishes what it has begun; of a killed one, its last task is done again.
      if (signal === "SIGTERM") expect(told).toBe(begun);
      const inOrder = ["s0", "s1", "s2", "s3", "s4", "s5"];
      expect(all).toEqual([...inOrder.slice(0, begun), ...inOrder.slice(told)]);
    } finally {
      await copy.remove();
      await idle.close();
      await rm(file, { force: true });
    }
  },
);

test.concurrent("a task that is renewed under an attempt, in a worker that was held up, leaves right rows", async () => {
  const held = await createWorkerRig({ idle: true });
  const copy = await createWorkerCopy({ "notes.js": NOTES });
  const file = join(tmpdir(), `${newId("cbwr")}.notes`);
  try {
    const worker = await copy.start(held.config);
    const id = await held.startRun({
      components: [
        local("a", { action: "notes", with: { file, ms: 4_500 }, next: [to("c")] }),
        component("b", { action: "transform", next: [to("c"), to("d")] }),
        local("c"),
        component("d"),
      ],
    });
    await waitFor("the attempt", async () => (await held.getRun(id)).steps.length > 0);
    // More than the 8 s at which a task is renewed, less than the 10 at which it is given to another worker. On a
    // busy machine that may happen instead, and the rows have to be right then too.
    worker.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 8_700));
    worker.kill("SIGCONT");
    const { status, steps } = await held.finished(id);
    expect(status).toBe("completed");
    expect(steps.map((step) => step.status)).toEqual(Array(4).fill("success"));
    await held.confirmed(id);
    await expectProjected(held, id, BEFORE_PROJECTION);
  } finally {
    await copy.remove();
    await held.close();
    await rm(file, { force: true });
  }
});
