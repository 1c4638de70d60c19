// The largest fan-out there is, in a worker process whose memory is measured.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type WorkflowExecutionDescription, WorkflowNotFoundError } from "@temporalio/client";
import type { ManagedProcess } from "@truerun/dev/processes/managed-process";
import { MAX_ITEMS } from "@truerun/shared/contracts/definition";
import { afterAll, beforeAll, expect, test } from "vitest";
import { confirmClosedRuns } from "../testing/walk-once.ts";
import { component, readHead } from "../testing/rig-runs.ts";
import { startWorkerProcess } from "../testing/worker-process.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

/** The first items have activities, in full batches; of the others, which would take minutes, each is skipped. */
const ACTIVITIES = 2_500;
/** Activities under way at once in one workflow execution; the fan-out asks for as many in all. */
const MAX_PENDING = 200;
/** Bounds, not what was measured: far below where Temporal warns (10,240 events) and a small machine swaps. */
const MAX_EVENTS = 2_000;
const MAX_BATCH_EVENTS = 1_000;
const MAX_WORKER_MB = 1_000;
const TIMEOUT_MS = 400_000;

let rig: WorkerRig;
let folder: string;
let worker: ManagedProcess;

beforeAll(async () => {
  rig = await createWorkerRig({ idle: true });
  folder = await mkdtemp(join(tmpdir(), "truerun-large-"));
  worker = await startWorkerProcess(rig.config, { folder });
});

afterAll(async () => {
  await worker.stop("SIGKILL", 0);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

/** The worker's peak memory so far, where the system keeps track of it; else its memory now. */
function memoryMb(): number {
  const status = `/proc/${worker.pid}/status`;
  const kilobytes = existsSync(status)
    ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(worker.pid)], { encoding: "utf8" });
  return Number(kilobytes) / 1024;
}

function pendingOf({ pendingActivities }: WorkflowExecutionDescription["raw"]): number {
  return pendingActivities?.length ?? 0;
}

/** The batches run the items: the run itself has no activity of the fan-out. */
async function pendingOfBatch(workflowId: string): Promise<number> {
  try {
    return pendingOf((await rig.client.workflow.getHandle(workflowId).describe()).raw);
  } catch (error) {
    // The run lists a batch a moment before it is there.
    if (error instanceof WorkflowNotFoundError) return 0;
    throw error;
  }
}

test(`${MAX_ITEMS} items, ${ACTIVITIES} of them with activities, complete in batches with bounded histories and memory`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const id = await rig.startRun({
    input: {
      items: Array.from({ length: MAX_ITEMS }, (_, n) => (n < ACTIVITIES ? { n } : {})),
    },
    components: [
      component("each", {
        for_each: "${{ input.items }}",
        max_concurrency: MAX_PENDING,
        with: { value: "${{ item.n }}" },
        next: [{ to: "last", on: "success" }],
      }),
      component("last", { with: { value: "${{ steps.each.output }}" } }),
    ],
  });
  const startedAt = Date.now();
  const handle = rig.client.workflow.getHandle(id);
  let peakMb = 0;
  let mostPending = 0;
  for (;;) {
    const { raw, status } = await handle.describe();
    const row = await readHead(rig.db, id);
    peakMb = Math.max(peakMb, memoryMb());
    const ids = (raw.pendingChildren ?? []).map((child) => child.workflowId ?? "");
    for (const pending of [pendingOf(raw), ...(await Promise.all(ids.map(pendingOfBatch)))]) {
      expect(pending).toBeLessThanOrEqual(MAX_PENDING);
      mostPending = Math.max(mostPending, pending);
    }
    if (status.name !== "RUNNING") break;
    // The interpreter's own end is seen some milliseconds before Temporal closes the run; nothing earlier.
    if (row.status !== "started") {
      expect([row.status, await rig.db.workflowRunStep.count({ where: { runId: id } })]).toEqual([
        "completed",
        MAX_ITEMS + 1,
      ]);
    }
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
  expect(run.steps.map(({ status }) => status)).toEqual([
    ...Array.from({ length: MAX_ITEMS }, (_, n) => (n < ACTIVITIES ? "success" : "skipped")),
    "success",
  ]);
  expect(run.steps.at(-1)?.output).toEqual(
    Array.from({ length: MAX_ITEMS }, (_, n) => (n < ACTIVITIES ? n : null)),
  );
  const { historyLength } = await handle.describe();
  expect(historyLength).toBeLessThan(MAX_EVENTS);
  let longestBatch = 0;
  for await (const batch of rig.client.workflow.list({
    query: `WorkflowId STARTS_WITH "${id}/"`,
  })) {
    longestBatch = Math.max(longestBatch, batch.historyLength);
  }
  expect(longestBatch).toBeLessThan(MAX_BATCH_EVENTS);
  expect(mostPending).toBeGreaterThan(0);
  expect(peakMb).toBeLessThan(MAX_WORKER_MB);
  process.stdout.write(
    `${MAX_ITEMS} items: ${seconds.toFixed(0)} s, ${historyLength} events (batch ${longestBatch}), ${mostPending} activities pending in one, worker ${peakMb.toFixed(0)} MB\n`,
  );
});
