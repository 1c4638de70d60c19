// Components that do to the worker's process what no component may, in real workers made by the build.
import type { ManagedProcess } from "@truerun/dev/processes/managed-process";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { expect, test } from "vitest";
import { chain } from "./testing/shape.ts";
import { createWorkerCopy, type WorkerCopy } from "./testing/worker-copy.ts";
import { component, retryEvery } from "./testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "./testing/worker-rig.ts";

const HOSTILE = `
import { z } from "zod";
import { defineComponent } from "../component.js";

const unreadable = new Error("hidden");
for (const name of ["stack", "message", "name", "cause"]) {
  Object.defineProperty(unreadable, name, { get() { throw new Error("getter"); } });
}
const thrown = {
  undefined: () => undefined,
  text: () => "a text",
  frozen: () => Object.freeze({ frozen: true }),
  "frozen error": () => Object.freeze(new Error("a frozen error")),
  unreadable: () => unreadable,
  proxy: () => new Proxy(new Error("x"), {
    get() { throw new Error("trap"); },
    getPrototypeOf() { throw new Error("trap"); },
    ownKeys() { throw new Error("trap"); },
  }),
};

export default defineComponent({
  action: "hostile",
  title: "Hostile",
  description: "For tests",
  input: z.object({ way: z.string(), ms: z.number().default(0) }),
  output: z.string(),
  async run({ input: { way, ms }, signal, attempt }) {
    if (way === "retry, exit" && attempt === 1) throw new Error("not yet");
    if (way === "retry, exit") process.exit(7);
    if (way in thrown) throw thrown[way]();
    if (way === "exit") process.exit(7);
    // As a loop would, but without the CPU that other tests need.
    if (way === "block") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    if (way === "sleep") {
      await new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
      });
    }
    return { output: way };
  },
});
`;

const LOST = "The worker that ran the component stopped answering.";

const LATE = "The component did not finish within its timeout.";

function hostile(key: string, given: { way: string; ms?: number; attempts?: number }) {
  const { attempts = 1, ...input } = given;
  return component(key, {
    action: "hostile",
    with: input,
    retry: retryEvery("1s", attempts),
  });
}

/** The same inside its workflow task. */
function hostileLocal(key: string, given: { way: string; ms?: number; attempts?: number }) {
  return { ...hostile(key, given), execution: "local" as const, timeout: "5s" };
}

/** The steps that ran as activities of their own. */
async function activitiesOf(rig: WorkerRig, id: string): Promise<string[]> {
  const { events } = await rig.client.workflow.getHandle(id).fetchHistory();
  return (events ?? []).flatMap(
    ({ activityTaskScheduledEventAttributes: activity }) => activity?.activityId ?? [],
  );
}

function isRunning({ child }: ManagedProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

interface Stage {
  rig: WorkerRig;
  copy: WorkerCopy;
  /** Starts another worker whenever one has ended; gives their exit codes. */
  supervise: () => (number | null)[];
}

/** Each test has a task queue, and workers, of its own: what it does to them must not reach the others. */
function onStage(
  run: (stage: Stage) => Promise<void>,
  files: Readonly<Record<string, string>> = { "hostile.js": HOSTILE },
): () => Promise<void> {
  return async () => {
    const rig = await createWorkerRig({ idle: true });
    const copy = await createWorkerCopy(files);
    const supervisor = createSupervisor(() => copy.start(rig.config));
    try {
      await run({ rig, copy, supervise: () => supervisor.start() });
    } finally {
      await supervisor.stop();
      await copy.remove();
      await rig.close();
    }
  };
}

function createSupervisor(startWorker: () => Promise<ManagedProcess>) {
  const exits: (number | null)[] = [];
  let current: ManagedProcess | undefined;
  let isOver = false;
  let supervised = Promise.resolve();
  async function superviseAll(): Promise<void> {
    while (!isOver) {
      current = await startWorker();
      if (isOver) current.kill("SIGKILL");
      const { code } = await current.exited;
      if (!isOver) exits.push(code);
    }
  }
  return {
    start() {
      supervised = superviseAll();
      return exits;
    },
    async stop() {
      isOver = true;
      current?.kill("SIGKILL");
      await supervised;
    },
  };
}

test.concurrent(
  "whatever components throw, their steps fail, and the worker goes on",
  onStage(async ({ rig, copy }) => {
    const worker = await copy.start(rig.config);
    const ways = ["undefined", "text", "frozen", "frozen error", "unreadable", "proxy"];
    const id = await rig.startRun({
      components: [
        ...ways.map((way, n) => ({
          ...hostile(`way_${n}`, { way }),
          on_failure: "continue" as const,
        })),
        hostile("after", { way: "sleep", ms: 500 }),
      ],
    });
    const ended = await rig.finished(id);
    expect(ended.status).toBe("completed");
    expect(ended.steps.map((step) => [step.stepKey, step.status, step.message])).toEqual([
      ["way_0", "failed", "The component threw undefined"],
      ["way_1", "failed", "a text"],
      ["way_2", "failed", 'The component threw {"frozen":true}'],
      ["way_3", "failed", "a frozen error"],
      ["way_4", "failed", "The component threw an unreadable error"],
      ["way_5", "failed", "The component threw something unreadable"],
      ["after", "success", null],
    ]);
    expect(isRunning(worker)).toBe(true);
  }),
);

test.concurrent(
  "process.exit ends the step by its attempts; a new worker goes on with the other runs",
  onStage(async ({ rig, supervise }) => {
    const exits = supervise();
    const exiting = await rig.startRun({
      components: [hostile("exits", { way: "exit", attempts: 2 })],
    });
    const beside = await rig.startRun({
      components: [hostile("sleeps", { way: "sleep", ms: 1_000, attempts: 4 })],
    });
    const failed = await rig.finished(exiting);
    expect(failed).toMatchObject({
      status: "failed",
      steps: [{ status: "failed", message: LOST }],
    });
    expect(exits).toEqual([7, 7]);
    expect(await rig.finished(beside)).toMatchObject({ status: "completed" });
    const after = await rig.startRun({ components: [hostile("sleeps", { way: "sleep" })] });
    expect(await rig.finished(after)).toMatchObject({ status: "completed" });
    expect(exits).toEqual([7, 7]);
  }),
);

test.concurrent(
  "one that ends its process inside of a workflow task is run outside of it, by its attempts",
  onStage(async ({ rig, supervise }) => {
    const exits = supervise();
    const exiting = await rig.startRun({
      components: [hostileLocal("exits", { way: "exit" })],
    });
    const failed = await rig.finished(exiting);
    expect(failed).toMatchObject({
      status: "failed",
      steps: [{ status: "failed", message: LATE }],
    });
    expect(exits).toEqual([7, 7]);
  }),
);

test.concurrent(
  "behind others of its task it does so once more, until what begins is written first",
  onStage(async ({ rig, supervise }) => {
    const exits = supervise();
    const exiting = await rig.startRun({
      components: chain([
        hostileLocal("first", { way: "sleep" }),
        hostileLocal("second", { way: "sleep" }),
        hostileLocal("third", { way: "sleep" }),
        hostileLocal("exits", { way: "exit" }),
      ]),
    });
    // Two lost tasks, 10 s each, then a timeout, and a worker's start before each.
    const failed = await rig.confirmed(exiting, 100_000);
    expect(failed.status).toBe("failed");
    expect(failed.steps.map(({ status, message }) => [status, message])).toEqual([
      ...Array<unknown>(3).fill(["success", null]),
      ["failed", LATE],
    ]);
    // Which step was seen to be open when the first worker ended, if any, is a matter of milliseconds.
    expect(exits.length).toBeLessThanOrEqual(3);
    const activities = await activitiesOf(rig, exiting);
    expect([activities[0], activities.at(-1)]).toEqual(["first", "exits"]);
  }),
);

test.concurrent(
  "one that does so in a later attempt has only the attempts that are left",
  onStage(async ({ rig, supervise }) => {
    const exits = supervise();
    const exiting = await rig.startRun({
      components: [hostileLocal("exits", { way: "retry, exit", attempts: 3 })],
    });
    const failed = await rig.finished(exiting);
    expect(failed).toMatchObject({
      status: "failed",
      steps: [{ status: "failed", message: LATE }],
    });
    expect(exits).toEqual([7, 7]);
    expect(await activitiesOf(rig, exiting)).toEqual(["exits"]);
  }),
);

test.concurrent(
  "one that never yields inside of a workflow task is run outside of it, by its attempts",
  onStage(async ({ rig, copy }) => {
    await copy.start(rig.config);
    const looping = await rig.startRun({
      components: [hostileLocal("loops", { way: "block", ms: 12_000 })],
    });
    await waitFor("its step", async () => (await rig.getRun(looping)).steps.length === 1);
    await copy.start(rig.config);
    // The worker that was held up says that the run has ended before it hears that its task was lost.
    const failed = await rig.confirmed(looping);
    expect(failed).toMatchObject({
      status: "failed",
      steps: [{ status: "failed", message: LATE }],
    });
    expect(await activitiesOf(rig, looping)).toEqual(["loops"]);
  }),
);

test.concurrent(
  "so is one that stands behind another, by a worker that is alone and is held up each time",
  onStage(async ({ rig, copy }) => {
    await copy.start(rig.config);
    const blocking = await rig.startRun({
      components: chain([
        hostileLocal("before", { way: "sleep" }),
        hostileLocal("blocks", { way: "block", ms: 11_000 }),
      ]),
    });
    await rig.confirmed(blocking, 100_000);
    expect((await activitiesOf(rig, blocking)).at(-1)).toBe("blocks");
  }),
);

test.concurrent(
  "a component that never yields loses its attempt, and other runs go on",
  onStage(async ({ rig, copy }) => {
    const blocked = await copy.start(rig.config);
    const looping = await rig.startRun({
      components: [hostile("loops", { way: "block", ms: 15_000 })],
    });
    await waitFor("its step", async () => (await rig.getRun(looping)).steps.length === 1);
    await copy.start(rig.config);
    const beside = await rig.startRun({
      components: [hostile("sleeps", { way: "sleep", ms: 100, attempts: 4 })],
    });
    const failed = await rig.finished(looping);
    expect(failed).toMatchObject({
      status: "failed",
      steps: [{ status: "failed", message: LOST }],
    });
    expect(await rig.finished(beside)).toMatchObject({ status: "completed" });
    expect(isRunning(blocked)).toBe(true);
  }),
);

const BROKEN_FILES = {
  "hostile.js": HOSTILE,
  "wrong-name.js": HOSTILE,
  "wait.js": HOSTILE.replace('action: "hostile"', 'action: "wait"'),
  "no-component.js": "export default { action: 'no_component' };",
  "bad-spec.js": HOSTILE.replace('action: "hostile"', 'action: "bad_spec", timeout: "soon"'),
  "broken.js": "export default {",
};

test.concurrent(
  "files that hold no usable component stop the worker at its start, each by name",
  onStage(async ({ rig, copy }) => {
    const worker = await copy.start(rig.config);
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    const said = worker.tail();
    for (const line of [
      "wrong-name.js: holds the action hostile, so its name must be hostile",
      "wait.js: the engine has an action of that name",
      "no-component.js: its default export is not made by defineComponent",
      'bad-spec.js: Component "bad_spec": timeout: String should match pattern',
      "broken.js: ",
    ]) {
      expect(said).toContain(line);
    }
    expect(said).not.toContain("hostile.js");
    expect(said).not.toContain("    at ");
  }, BROKEN_FILES),
);
