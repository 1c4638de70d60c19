// The built worker as a process of its own, ended in every way that a process ends.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ManagedProcess } from "@truerun/dev/processes/managed-process";
import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { component } from "./testing/rig-runs.ts";
import { startWorkerProcess } from "./testing/worker-process.ts";
import { createWorkerRig, type WorkerRig } from "./testing/worker-rig.ts";

let rig: WorkerRig;
let folder: string;
let target: SlowServer;
const started: ManagedProcess[] = [];

beforeAll(async () => {
  rig = await createWorkerRig({ idle: true });
  folder = await mkdtemp(join(tmpdir(), "truerun-worker-"));
});
beforeEach(async () => {
  target = await startSlowServer();
});
afterEach(async () => {
  for (const each of started.splice(0)) await each.stop("SIGKILL", 0);
  await target.close();
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

test("SIGTERM lets a running component finish, writes its outcome, and exits 0", async () => {
  const worker = await startWorker();
  const id = await rig.startRun({ components: [request("slow", ["after"]), request("after")] });
  await waitFor("the request", () => target.waiting.length === 1);
  worker.kill("SIGTERM");
  setTimeout(() => target.answerAll(), 1_500);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const next = await startWorker();
  await waitFor("the second component", () => target.waiting.length === 1);
  target.answerAll();
  const ended = await rig.finished(id);
  expect(ended.steps.map((step) => [step.stepKey, step.status, step.attempt])).toEqual([
    ["slow", "success", 1],
    ["after", "success", 1],
  ]);
  expect(target.keys).toEqual([`${id}:slow`, `${id}:after`]);
  next.kill("SIGTERM");
  expect((await next.exited).code).toBe(0);
});

test("an attempt that outlasts the grace after SIGTERM is another worker's", async () => {
  const first = await startWorker({ WORKER_SHUTDOWN_GRACE_MS: "200" });
  const id = await rig.startRun({ components: [request("slow")] });
  await waitFor("the request", () => target.waiting.length === 1);
  first.kill("SIGTERM");
  expect(await first.exited).toEqual({ code: 0, signal: null });
  // Sooner than missing heartbeats would bring it.
  await waitFor("the second attempt", async () => (await pendingAttempt(id)) === 2, 8_000);
  await startWorker();
  await waitFor("its request", () => target.keys.length === 2);
  target.answerAll();
  const ended = await rig.finished(id);
  expect(ended.steps[0]).toMatchObject({ status: "success", attempt: 2 });
});

test("a worker that waits for a frozen Temporal says so, comes up when it answers, and ends on SIGTERM before that", async () => {
  const [, port = ""] = rig.config.TEMPORAL_ADDRESS.split(":");
  const proxy = await createTcpProxy({ targetPort: Number(port) });
  const logFile = join(folder, "frozen.log");
  const said = (text: string) => async () => (await readFile(logFile, "utf8")).includes(text);
  const start = () => startWorker({ TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` }, logFile);
  proxy.freeze();
  const waiting = await start();
  await waitFor("its complaint", said("Temporal does not answer yet"));
  waiting.kill("SIGTERM");
  expect(await waiting.exited).toEqual({ code: 0, signal: null });
  await rm(logFile);
  const worker = await start();
  await waitFor("its complaint", said("Temporal does not answer yet"));
  proxy.restore();
  await waitFor("the worker", said("worker ready"));
  worker.kill("SIGTERM");
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  await proxy.close();
});

test("after kill -9 another worker takes the attempt over, with the same idempotency key", async () => {
  const first = await startWorker();
  const id = await rig.startRun({ components: [request("slow")] });
  await waitFor("the request", () => target.waiting.length === 1);
  first.kill("SIGKILL");
  await startWorker();
  await waitFor("the second attempt", () => target.keys.length === 2);
  target.answerAll();
  const ended = await rig.finished(id);
  expect(ended.steps[0]).toMatchObject({ status: "success", attempt: 2 });
  expect(target.keys).toEqual([`${id}:slow`, `${id}:slow`]);
});

test("a wait survives the death of its worker", async () => {
  const first = await startWorker();
  const id = await rig.startRun({
    components: [
      component("wait", {
        action: "wait",
        with: { duration: "4s" },
        next: [{ to: "after", on: "success" }],
      }),
      component("after"),
    ],
  });
  await waitFor("the timer", async () => (await rig.getRun(id)).steps.length === 1);
  first.kill("SIGKILL");
  await first.exited;
  await startWorker();
  const ended = await rig.finished(id);
  expect(ended.steps.map((step) => step.status)).toEqual(["success", "success"]);
  const [waited, after] = ended.steps;
  expect((after?.createdAt.getTime() ?? 0) - (waited?.createdAt.getTime() ?? 0)).toBeGreaterThan(
    3_900,
  );
});

test("a child run, and the run that waits for it, survive the death of their worker", async () => {
  const first = await startWorker();
  const id = await rig.startRun({
    components: [component("run", { action: "run_workflow", with: { workflow_name: "child" } })],
    others: {
      child: { components: [component("wait", { action: "wait", with: { duration: "3s" } })] },
    },
  });
  const child = await waitFor("the child's step", async () => {
    const row = await rig.db.workflowRun.findFirst({ where: { parentRunId: id } });
    return row !== null && (await rig.getRun(row.id)).steps.length === 1 && row;
  });
  first.kill("SIGKILL");
  await first.exited;
  await startWorker();
  expect((await rig.finished(id)).steps).toMatchObject([
    { status: "success", output: { workflow_run_id: child.id, status: "completed" } },
  ]);
  expect((await rig.finished(child.id)).status).toBe("completed");
  expect(await rig.db.workflowRun.count({ where: { parentRunId: id } })).toBe(1);
});

test("a configuration that cannot be used is refused with every fault", async () => {
  const worker = await startWorker({ DATABASE_URL: "nonsense", WORKER_MAX_ACTIVITIES: "many" });
  expect((await worker.exited).code).toBe(1);
  const said = await readFile(join(folder, "worker.log"), "utf8");
  expect(said).toContain("DATABASE_URL");
  expect(said).toContain(
    'WORKER_MAX_ACTIVITIES is "many": expected a whole number from 1 to 10000',
  );
  expect(said).not.toContain("nonsense");
});

function request(key: string, then: readonly string[] = []) {
  const next = then.map((to) => ({ to, on: "success" as const }));
  const url = `http://127.0.0.1:${target.port}/`;
  return component(key, { action: "http_request", with: { method: "POST", url }, next });
}

async function startWorker(
  extra: Record<string, string> = {},
  logFile = join(folder, "worker.log"),
): Promise<ManagedProcess> {
  const env = { HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1", ...extra };
  const worker = await startWorkerProcess(rig.config, { folder, logFile, env });
  started.push(worker);
  return worker;
}

interface SlowServer {
  port: number;
  /** Requests without an answer yet. */
  waiting: (() => void)[];
  /** The Idempotency-Key of each request, in order. */
  keys: string[];
  answerAll(): void;
  close(): Promise<void>;
}

async function startSlowServer(): Promise<SlowServer> {
  const waiting: (() => void)[] = [];
  const keys: string[] = [];
  const server: Server = createServer((req, res) => {
    keys.push(String(req.headers["idempotency-key"]));
    waiting.push(() => res.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return {
    port: address.port,
    waiting,
    keys,
    answerAll() {
      for (const answer of waiting.splice(0)) answer();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pendingAttempt(id: string): Promise<number | undefined> {
  const { raw } = await rig.client.workflow.getHandle(id).describe();
  return raw.pendingActivities?.[0]?.attempt ?? undefined;
}
