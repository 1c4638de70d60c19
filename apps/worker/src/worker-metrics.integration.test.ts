// What the worker's process reports about itself while things happen to its runs.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "@truerun/dev/processes/ports";
import type { ManagedProcess } from "@truerun/dev/processes/managed-process";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component } from "./testing/rig-runs.ts";
import { startWorkerProcess } from "./testing/worker-process.ts";
import { createWorkerRig, type WorkerRig } from "./testing/worker-rig.ts";

const MOST_CACHED = 20;

let rig: WorkerRig;
let folder: string;
let metricsPort: number;
const started: ManagedProcess[] = [];

beforeAll(async () => {
  rig = await createWorkerRig({ idle: true });
  folder = await mkdtemp(join(tmpdir(), "truerun-metrics-"));
  metricsPort = await findFreePort();
  await startWorker();
});
afterAll(async () => {
  for (const each of started) await each.stop("SIGKILL", 0);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

async function startWorker(port = metricsPort): Promise<ManagedProcess> {
  const env = {
    METRICS_PORT: String(port),
    WORKER_MAX_CACHED_WORKFLOWS: String(MOST_CACHED),
  };
  const worker = await startWorkerProcess(rig.config, { folder, env });
  started.push(worker);
  return worker;
}

async function scrape(): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
}

/** The value of one line; undefined when it is not there. */
function valueIn(text: string, line: string): number | undefined {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length));
}

const valueOf = async (line: string) => valueIn(await scrape(), line);

/** Waits until the value is at least `least`. */
const reaches = (line: string, least: number) =>
  waitFor(`${line} ${least}`, async () => ((await valueOf(line)) ?? 0) >= least);

const LOOPS = [
  "redispatch",
  "unstarted children",
  "closed runs",
  "reset runs",
  "open runs",
  "undispatched runs",
];

test("the mirror's records and their lag, the sweeper's dispatches and every loop's passes", async () => {
  const id = await rig.startRun({ components: [component("one")], dispatch: false });
  // Due at once, and made long ago: nobody was there to dispatch it.
  await rig.db.workflowRun.update({
    where: { id },
    data: { nextDispatchAt: new Date(), startedAt: new Date(Date.now() - 3_600_000) },
  });
  await rig.finished(id);
  await reaches('truerun_dispatches_total{outcome="dispatched"}', 1);
  expect(await valueOf("truerun_dispatch_lag_seconds_sum")).toBeGreaterThan(3_500);
  // The step, with and without a status in one statement or two, and the end.
  await waitFor("the end's record", async () => {
    const text = await scrape();
    const written = valueIn(text, "truerun_mirror_written_records_total") ?? 0;
    return written >= 2 && written === valueIn(text, "truerun_mirror_lag_seconds_count");
  });
  expect(await valueOf("truerun_mirror_lag_seconds_sum")).toBeGreaterThan(0);
  expect(await valueOf("truerun_mirror_dropped_records_total")).toBe(0);
  expect(await valueOf("truerun_mirror_held_records")).toBe(0);
  for (const loop of LOOPS) await reaches(`truerun_pass_duration_seconds_count{loop="${loop}"}`, 2);
  expect(await valueOf("truerun_undispatched_runs")).toBe(0);
  expect(await valueOf("truerun_stuck_runs")).toBe(0);
  expect(await valueOf("process_resident_memory_bytes")).toBeGreaterThan(0);
  expect(await scrape()).not.toMatch(/cb[a-z]+_/);
});

test("a run that was ended behind the worker's back counts as repaired", async () => {
  const id = await rig.startRun({
    components: [component("wait", { action: "wait", with: { duration: "1h" } })],
  });
  await waitFor("the timer", async () => (await rig.getRun(id)).steps.length === 1);
  await rig.client.workflow.getHandle(id).terminate("test");
  await rig.finished(id);
  await reaches('truerun_repairs_total{kind="closed"}', 1);
});

test("of more open runs than may stay in memory, all go on", async () => {
  const components = [
    component("wait", {
      action: "wait",
      with: { duration: "5s" },
      next: [{ to: "one", on: "success" }],
    }),
    component("one"),
  ];
  const ids = await Promise.all(
    Array.from({ length: MOST_CACHED + 10 }, () => rig.startRun({ components })),
  );
  await waitFor("their timers", async () => {
    const steps = await rig.db.workflowRunStep.count({ where: { runId: { in: ids } } });
    return steps === ids.length;
  });
  expect(await valueOf("truerun_cached_workflows")).toBe(MOST_CACHED);
  for (const id of ids) {
    const { status, steps } = await rig.finished(id);
    expect([status, ...steps.map((step) => step.status)]).toEqual([
      "completed",
      "success",
      "success",
    ]);
  }
});

test("a port that is taken is named, and ends the process", async () => {
  const taken = createServer();
  const free = await findFreePort();
  await new Promise<void>((resolve) => taken.listen(free, "127.0.0.1", resolve));
  const worker = await startWorker(free);
  expect((await worker.exited).code).toBe(1);
  const said = await readFile(join(folder, "worker.log"), "utf8");
  expect(said).toContain(`Cannot listen on HOST 127.0.0.1, METRICS_PORT ${free}: `);
  taken.close();
});
