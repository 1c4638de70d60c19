// The example as it is shipped: its declaration, and its worker in Python.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { EXAMPLES_DIR, PROJECT_DIR, TEMPORAL_CACHE_DIR } from "@truerun/dev/project-paths";
import { findPythonSdk } from "@truerun/dev/python/find-python-sdk";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { type ExternalComponents, loadExternalComponents } from "./load-external-components.ts";

const TASK_QUEUE = "python-risk-score";

let rig: WorkerRig;
let declared: ExternalComponents;
let folder: string;
let python: ManagedProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-python-"));
  declared = await loadExternalComponents({
    folder: join(PROJECT_DIR, "components", "external"),
    optional: false,
    components: new Map(),
    ownTaskQueue: "truerun",
  });
  rig = await createWorkerRig({ externalComponents: declared });
  const sdk = await findPythonSdk({ cacheDir: TEMPORAL_CACHE_DIR });
  python = await startProcess({
    command: sdk.command,
    args: [join(EXAMPLES_DIR, "python-risk-score", "worker.py")],
    env: {
      ...process.env,
      ...sdk.environment,
      TEMPORAL_ADDRESS: rig.config.TEMPORAL_ADDRESS,
      RISK_PACE_SECONDS: "0.1",
    },
    logFile: join(folder, "worker.log"),
  });
  await waitFor("the Python worker", () => python.tail().includes("Serving"));
}, 120_000);
afterAll(async () => {
  await python?.stop("SIGTERM", 10_000);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

async function score(input: JsonObject) {
  const { taskQueue, defaults } = declared.get("score_vendor_risk") ?? { taskQueue: TASK_QUEUE };
  const settings = { action: "score_vendor_risk", task_queue: taskQueue, with: input };
  const heartbeat = { heartbeat_timeout: defaults?.heartbeat_timeout ?? "10s" };
  const id = await rig.startRun({
    components: [component("score", { ...settings, ...heartbeat, timeout: "1m" })],
  });
  return (await rig.finished(id)).steps[0];
}

test("a vendor is scored, with reasons, and becomes an artifact", async () => {
  const vendor = {
    id: "cbvndr_5289847912f406c4b9dc5d1621a5b332",
    name: "Halyard Cloud Hosting",
    country: "US",
    tags: ["processes_pii", "subprocessor", "soc2", "iso27001", "critical"],
  };
  expect(await score({ vendor, annual_spend_usd: 300_000, incidents_last_year: 1 })).toMatchObject({
    status: "success",
    output: {
      score: 70,
      level: "high",
      reasons: [
        "sits outside the EEA: US (+15)",
        "processes personal data (+20)",
        "is a subprocessor (+10)",
        "is critical to the business (+15)",
        "has a SOC 2 report (-10)",
        "is certified by ISO 27001 (-10)",
        "costs 300,000 USD a year (+10)",
        "reported 1 incident last year (+10)",
      ],
    },
    artifacts: [{ artifact_type: "vendor", id: vendor.id, role: "trigger" }],
  });
  expect(await score({ vendor: { country: "NO" } })).toMatchObject({
    output: { score: 10, level: "low", reasons: [] },
    artifacts: [],
  });
});

test("a vendor that cannot be scored is refused by its declaration", async () => {
  expect(await score({ vendor: { country: "no", tags: [1] } })).toMatchObject({
    status: "failed",
    message: expect.stringMatching(/^with\.vendor\.country: .*with\.vendor\.tags\[0\]: /),
  });
});
