// Cancellation through everything: callers, gateway, worker, Temporal, and what components call.
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import {
  createTemporalClient,
  type TemporalClient,
} from "../packages/shared/src/temporal-connection.ts";
import { type Banner, type Started, startIn } from "./fresh-clone.ts";

interface Run {
  workflow_run_id: string;
  status: string;
  completed_at: number | null;
  steps: { status: string | null; message: string | null }[];
  error?: { code: string; message: string } | null;
}

let folder: string;
let service: Started;
let banner: Banner;
let temporal: TemporalClient;
/** Takes requests and never answers; `arrived` has them by path. */
let silent: Server;
const arrived = new Map<string, IncomingMessage>();

beforeAll(async () => {
  silent = createServer((request) => void arrived.set(request.url ?? "", request));
  await once(silent.listen(0, "127.0.0.1"), "listening");
  folder = await mkdtemp(join(tmpdir(), "truerun-cancel-"));
  const temporalPort = await findFreePort();
  service = startIn(PROJECT_DIR, {
    DATA_DIR: folder,
    PORT: String(await findFreePort()),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_UI_PORT: String(await findFreePort()),
    HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1",
    // Longer than a cancellation waits for Temporal: the start is still under way when the run has ended.
    DISPATCH_DEADLINE_MS: "30000",
  });
  banner = await service.ready(120_000);
  temporal = createTemporalClient({
    TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
    TEMPORAL_NAMESPACE: "default",
  });
});
afterAll(async () => {
  await temporal?.close();
  service.kill("SIGTERM");
  await service.exited;
  silent.closeAllConnections();
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${banner.apiUrl}/v1/workflows/${path}`, {
    method,
    headers: { authorization: `Bearer ${banner.demoKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, run: (await response.json()) as Run };
}

const cancel = (id: string) => send("POST", `runs/${id}/cancel`);
const getRun = async (id: string) => (await send("GET", `runs/${id}?include=error`)).run;

/** Saves a definition under a name. @returns what starts a run of it */
async function define(name: string, components: readonly unknown[]) {
  expect((await send("PUT", name, { components })).status).toBe(201);
  return async () => (await send("POST", `${name}/run`)).run.workflow_run_id;
}

const ended = (id: string) =>
  waitFor(`the end of ${id}`, async () => {
    const run = await getRun(id);
    return run.completed_at !== null && run;
  });

/** The run once it agrees with Temporal: an end that Temporal refuses stands for a moment. */
async function settled(id: string): Promise<Run> {
  const handle = temporal.client.workflow.getHandle(id);
  const closed = await waitFor(`the close of ${id}`, async () => {
    const description = await handle.describe();
    return description.closeTime !== undefined && description;
  });
  const status = closed.status.name === "CANCELLED" ? "canceled" : "completed";
  return await waitFor(`${id} to be ${status}`, async () => {
    const run = await getRun(id);
    return run.status === status && run;
  });
}

const callTo = (path: string) => ({
  key: "call",
  name: "Call",
  action: "http_request",
  with: { method: "GET", url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}${path}` },
});

test("reaches a running component and a timer; the run ends canceled and every step says so", async () => {
  const wait = { key: "wait", name: "Wait", action: "wait", with: { duration: "1h" } };
  const start = await define("reached", [callTo("/reached"), wait]);
  const id = await start();
  const request = await waitFor("the component's request", () => arrived.get("/reached"));
  const hungUp = once(request.socket, "close");
  const canceledAt = Date.now();
  expect((await cancel(id)).status).toBe(202);
  await hungUp;
  expect(Date.now() - canceledAt).toBeLessThan(5_000);
  const run = await ended(id);
  expect(run).toMatchObject({ status: "canceled", error: { code: "workflow_canceled" } });
  expect(run.steps.map(({ status, message }) => [status, message])).toEqual([
    ["failed", "The run was canceled."],
    ["failed", "The run was canceled."],
  ]);
  expect((await cancel(id)).status).toBe(409);
});

test("against a run that is just finishing, the answer says how it ends", async () => {
  const echo = { name: "Echo", action: "transform", with: { value: 1 } };
  const start = await define("finishing", [
    { key: "a", ...echo, next: [{ to: "b" }] },
    { key: "b", ...echo, next: [{ to: "c" }] },
    { key: "c", ...echo },
  ]);
  const outcomes = new Set<string>();
  for (let tries = 0; tries < 40; tries++) {
    const id = await start();
    // From long before the end to after it.
    await new Promise((resolve) => setTimeout(resolve, tries * 4));
    const { status } = await cancel(id);
    const run = await settled(id);
    expect([status, run.status]).toEqual(status === 202 ? [202, "canceled"] : [409, "completed"]);
    expect(run.steps.every((step) => step.status !== null)).toBe(true);
    outcomes.add(run.status);
  }
  expect(outcomes).toEqual(new Set(["canceled", "completed"]));
});

test("a run canceled while Temporal is frozen never runs, though its start lands when that wakes", async () => {
  const start = await define("frozen", [callTo("/frozen")]);
  const pid = Number(await readFile(join(folder, "temporal.db.pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  let canceled: Run;
  let starting: Promise<string>;
  try {
    starting = start();
    const id = await waitFor("the run's row", async () => {
      const { run } = await send("GET", "runs?workflow_name=frozen");
      return (run as unknown as { data: Run[] }).data[0]?.workflow_run_id;
    });
    const canceledAt = Date.now();
    const answer = await cancel(id);
    expect(Date.now() - canceledAt).toBeLessThan(5_000);
    expect(answer).toMatchObject({ status: 202, run: { status: "canceled", steps: [] } });
    canceled = answer.run;
  } finally {
    process.kill(pid, "SIGCONT");
  }
  const id = await starting;
  expect(id).toBe(canceled.workflow_run_id);
  const handle = temporal.client.workflow.getHandle(id);
  await waitFor("its end in Temporal", async () => (await handle.describe()).closeTime);
  expect((await handle.describe()).status.name).toBe("TERMINATED");
  // A run that starts and ends after it shows that the worker and the reconciler are done with it.
  await ended(
    await (await define("after", [{ ...callTo("/"), action: "fail", with: { message: "x" } }]))(),
  );
  expect(await send("GET", `runs/${id}`)).toEqual({ status: 200, run: canceled });
  expect(arrived.has("/frozen")).toBe(false);
});
