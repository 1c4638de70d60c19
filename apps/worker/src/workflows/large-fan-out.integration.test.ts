// The largest fan-out there is, in a worker process whose memory is looked at.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { MAX_ITEMS } from "@truerun/shared/contracts/definition";
import { afterAll, beforeAll, expect, test } from "vitest";
import { confirmClosedRuns } from "../reconcile/closed-runs.ts";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** Bounds, not what was measured: far below where Temporal warns (10,240 events) and a small machine swaps. */
const MAX_EVENTS = 2_000;
const MAX_BATCH_EVENTS = 1_000;
const MAX_WORKER_MB = 800;
const TIMEOUT_MS = 400_000;

let rig: WorkerRig;
let folder: string;
let worker: ManagedProcess;

beforeAll(async () => {
  rig = await createWorkerRig({ idle: true });
  folder = await mkdtemp(join(tmpdir(), "truerun-large-"));
  worker = await startProcess({
    command: process.execPath,
    args: [MAIN],
    logFile: join(folder, "worker.log"),
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: rig.config.DATABASE_URL,
      TEMPORAL_ADDRESS: rig.config.TEMPORAL_ADDRESS,
      TEMPORAL_TASK_QUEUE: rig.config.TEMPORAL_TASK_QUEUE,
      DATA_DIR: folder,
    },
  });
});

afterAll(async () => {
  await worker.stop("SIGKILL", 0);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

function memoryMb(): number {
  const kilobytes = execFileSync("ps", ["-o", "rss=", "-p", String(worker.pid)], {
    encoding: "utf8",
  });
  return Number(kilobytes) / 1024;
}

test(`${MAX_ITEMS} items complete in batches, with bounded histories and memory`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const id = await rig.startRun({
    input: { items: Array.from({ length: MAX_ITEMS }, (_, index) => index) },
    components: [
      component("each", {
        for_each: "${{ input.items }}",
        max_concurrency: 100,
        with: { value: "${{ item }}" },
        next: [{ to: "last", on: "success" }],
      }),
      component("last", { with: { value: "${{ steps.each.output.9999 }}" } }),
    ],
  });
  const startedAt = Date.now();
  const handle = rig.client.workflow.getHandle(id);
  let peakMb = 0;
  let pendingActivities = 0;
  for (;;) {
    const { raw, status } = await handle.describe();
    const row = await rig.getRun(id);
    peakMb = Math.max(peakMb, memoryMb());
    pendingActivities = Math.max(pendingActivities, raw.pendingActivities?.length ?? 0);
    expect(row.steps.map(({ ordinal }) => ordinal)).toEqual(
      row.steps.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b),
    );
    if (status.name !== "RUNNING") break;
    expect(row.status === "started" || row.status === "completed").toBe(true);
    await pause(2_000);
  }
  const seconds = (Date.now() - startedAt) / 1_000;
  await confirmClosedRuns(rig);
  const run = await rig.finished(id);
  expect(run.status).toBe("completed");
  expect(run.steps.map(({ stepKey }) => stepKey)).toEqual([
    ...Array.from({ length: MAX_ITEMS }, (_, index) => `each[${index}]`),
    "last",
  ]);
  expect(run.steps.filter(({ status }) => status !== "success")).toEqual([]);
  expect(run.steps.at(-1)?.output).toBe(9_999);
  const { historyLength } = await handle.describe();
  expect(historyLength).toBeLessThan(MAX_EVENTS);
  let longestBatch = 0;
  for await (const batch of rig.client.workflow.list({
    query: `WorkflowId STARTS_WITH "${id}/"`,
  })) {
    longestBatch = Math.max(longestBatch, batch.historyLength);
  }
  expect(longestBatch).toBeLessThan(MAX_BATCH_EVENTS);
  expect(pendingActivities).toBeLessThanOrEqual(200);
  expect(peakMb).toBeLessThan(MAX_WORKER_MB);
  process.stdout.write(
    `${MAX_ITEMS} items: ${seconds.toFixed(0)} s, ${historyLength} events (batch ${longestBatch}), worker ${peakMb.toFixed(0)} MB\n`,
  );
});
