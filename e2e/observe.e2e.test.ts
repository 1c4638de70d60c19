// What an engineer sees of a run that does not end, and of both processes, with everything running.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import { type Banner, type Started, startIn } from "./fresh-clone.ts";

interface Run {
  workflow_run_id: string;
  status: string;
  pending: Record<string, unknown> | null;
  steps: { component_name: string; pending: Record<string, unknown> | null }[];
}

let folder: string;
let service: Started;
let banner: Banner;
let metricsPort: number;
/** Takes requests and never answers. */
let silent: Server;

beforeAll(async () => {
  silent = createServer(() => undefined);
  await once(silent.listen(0, "127.0.0.1"), "listening");
  folder = await mkdtemp(join(tmpdir(), "truerun-observe-"));
  metricsPort = await findFreePort();
  service = startIn(PROJECT_DIR, {
    DATA_DIR: folder,
    PORT: String(await findFreePort()),
    METRICS_PORT: String(metricsPort),
    TEMPORAL_PORT: String(await findFreePort()),
    TEMPORAL_UI_PORT: String(await findFreePort()),
    HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1",
  });
  banner = await service.ready(120_000);
});
afterAll(async () => {
  service.kill("SIGTERM");
  await service.exited;
  silent.closeAllConnections();
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

async function send(method: string, path: string, body?: unknown): Promise<Run> {
  const response = await fetch(`${banner.apiUrl}/v1/workflows/${path}`, {
    method,
    headers: { authorization: `Bearer ${banner.demoKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
  return (await response.json()) as Run;
}

const getRun = (id: string) => send("GET", `runs/${id}?include=pending`);

const callTo = (key: string, port: number) => ({
  key,
  name: key,
  action: "http_request",
  with: { method: "GET", url: `http://127.0.0.1:${port}/` },
});

test("a run says what each of its steps waits for, and nothing once it has ended", async () => {
  const { port } = silent.address() as AddressInfo;
  const closed = await findFreePort();
  await send("PUT", "waiting", {
    components: [
      { ...callTo("flaky", closed), retry: { max_attempts: 3, initial_interval: "1m" } },
      callTo("slow", port),
      { key: "wait", name: "wait", action: "wait", with: { duration: "1h" } },
    ],
  });
  const { workflow_run_id: id } = await send("POST", "waiting/run");
  const run = await waitFor("the first failure", async () => {
    const now = await getRun(id);
    return now.steps.some(({ pending }) => pending?.["reason"] === "retrying") && now;
  });
  expect(run.pending).toMatchObject({ state: "running" });
  const pending = new Map(run.steps.map((step) => [step.component_name, step.pending]));
  expect(pending.get("flaky")).toMatchObject({
    attempt: 2,
    max_attempts: 3,
    next_attempt_at: expect.closeTo(Date.now() / 1_000 + 60, -2),
    last_failure: expect.stringContaining("ECONNREFUSED"),
  });
  expect(pending.get("slow")).toMatchObject({ reason: "running", attempt: 1, last_failure: null });
  const timer = pending.get("wait");
  expect(timer).toMatchObject({ reason: "timer", until: Number(timer?.["since"]) + 3_600 });

  await send("PUT", "quick", {
    components: [{ key: "echo", name: "echo", action: "transform", with: { value: 1 } }],
  });
  const { workflow_run_id: quick } = await send("POST", "quick/run");
  const ended = await waitFor("the end", async () => {
    const now = await getRun(quick);
    return now.status === "completed" && now;
  });
  expect(ended.pending).toBeNull();
  expect(ended.steps.map((step) => step.pending)).toEqual([null]);
});

test("gateway and worker serve their metrics, the worker on the next port", async () => {
  const scrape = async (port: number) =>
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const gateway = await scrape(metricsPort);
  expect(gateway).toMatch(
    /^truerun_http_request_duration_seconds_count\{operation="runWorkflow",status="201"\} 2$/m,
  );
  expect(gateway).toMatch(/^truerun_dispatches_total\{outcome="dispatched"\} 2$/m);
  const worker = await scrape(metricsPort + 1);
  expect(worker).toMatch(/^truerun_mirror_written_records_total [1-9]/m);
  expect(worker).toMatch(/^process_resident_memory_bytes [1-9]/m);
});
