// The worked examples as shipped, on what `npm start` starts; and a run during which everything is restarted.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import { type Banner, type Started, startIn } from "./fresh-clone.ts";

interface Step {
  step_id: string;
  component_name: string;
  action_type: string;
  status: string | null;
  message: string | null;
  artifacts: { artifact_type: string; id: string }[];
  details: { key: string; output: unknown; attempt: number | null };
}

interface Run {
  workflow_run_id: string;
  status: string;
  steps: Step[];
  error: { code: string; message: string } | null;
}

const vendors = {
  /** Hosts critical personal data in the United States. */
  risky: "cbvndr_5289847912f406c4b9dc5d1621a5b332",
};

let folder: string;
let settings: Record<string, string>;
let service: Started;
let banner: Banner;
let python: ChildProcess;
/** Answers by path: /ok, /flaky (every third request works), /broken (never), /gate (once it is open). */
let target: Server;
let requests = 0;
let isGateOpen = false;

beforeAll(async () => {
  target = createServer((request, response) => {
    const path = request.url ?? "";
    const isWell =
      path.startsWith("/ok") ||
      (path.startsWith("/flaky") && ++requests % 3 === 0) ||
      (path.startsWith("/gate") && isGateOpen);
    response.writeHead(isWell ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify({ path }));
  });
  await once(target.listen(0, "127.0.0.1"), "listening");
  folder = await mkdtemp(join(tmpdir(), "truerun-examples-"));
  settings = {
    DATA_DIR: folder,
    PORT: String(await findFreePort()),
    TEMPORAL_PORT: String(await findFreePort()),
    TEMPORAL_UI_PORT: String(await findFreePort()),
    HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1",
  };
  await start();
});
afterAll(async () => {
  // Signals npm and all that it has started.
  if (python?.pid !== undefined) process.kill(-python.pid, "SIGTERM");
  await stop();
  target.closeAllConnections();
  target.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  service = startIn(PROJECT_DIR, settings);
  banner = await service.ready(120_000);
}

async function stop(): Promise<void> {
  service.kill("SIGTERM");
  await service.exited;
}

/** As the example's README says. */
function startPython(): void {
  const env = { ...process.env, ...settings };
  python = spawn("npm", ["run", "example:python-worker"], {
    cwd: PROJECT_DIR,
    env,
    stdio: "ignore",
    detached: true,
  });
}

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${banner.apiUrl}/v1/workflows/${path}`, {
    method,
    headers: { authorization: `Bearer ${banner.demoKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function startRun(name: string, input: object): Promise<string> {
  const response = await call("POST", `${encodeURIComponent(name)}/run`, { input });
  expect(response.status).toBe(201);
  return ((await response.json()) as Run).workflow_run_id;
}

async function getRun(id: string): Promise<Run> {
  return (await (await call("GET", `runs/${id}?include=error,details`)).json()) as Run;
}

async function ended(id: string): Promise<Run> {
  return await waitFor(
    `the end of ${id}`,
    async () => {
      const run = await getRun(id);
      return run.status !== "started" && run;
    },
    60_000,
  );
}

async function pendingStep(id: string, action: string): Promise<Step> {
  return await waitFor(
    `a pending ${action}`,
    async () => {
      const { steps } = await getRun(id);
      return steps.find((step) => step.action_type === action && step.status === null);
    },
    60_000,
  );
}

async function review(id: string, answer: object): Promise<void> {
  const { step_id: stepId } = await pendingStep(id, "wait_for_review");
  expect((await call("POST", `runs/${id}/reviews/${stepId}`, answer)).status).toBe(202);
}

const stepOf = (run: Run, key: string) => run.steps.find(({ details }) => details.key === key);

async function outboxFile(name: string): Promise<string> {
  return await readFile(join(folder, "outbox", name), "utf8");
}

describe("quarterly-privacy-sweep", () => {
  const input = { vendor_filter: { tags: ["processes_pii"] }, due_date: "2026-06-30" };

  test("asks every vendor, writes the summary, waits for a person, and tells the owner", async () => {
    const id = await startRun("quarterly-privacy-sweep", { ...input, notify: "owner@example.com" });
    await review(id, { decision: "approve", comment: "complete" });
    const run = await ended(id);
    expect(run).toMatchObject({ status: "completed", error: null });
    const sent = run.steps.filter((step) => step.action_type === "send_questionnaire");
    expect(sent.map(({ details }) => details.key)).toEqual(
      sent.map((_, index) => `send_questionnaire[${index}]`),
    );
    expect(sent[0]?.artifacts.map((artifact) => artifact.artifact_type)).toEqual([
      "vendor",
      "questionnaire_response",
    ]);
    const summary = stepOf(run, "write_summary")?.details.output as { file: string };
    expect((await outboxFile(summary.file)).trim().split("\r\n")).toHaveLength(sent.length + 1);
    const decision = stepOf(run, "review")?.details.output;
    expect(decision).toMatchObject({ decision: "approve", comment: "complete" });
    const mails = (await readdir(join(folder, "outbox"))).filter((name) => name.endsWith(".eml"));
    const texts = await Promise.all(mails.map(outboxFile));
    expect(
      texts.filter((text) => text.includes(id) && text.includes("owner@example.com")),
    ).toHaveLength(1);
  });

  test.each([
    ["the reviewer's words", { comment: "two are missing" }, ": two are missing"],
    ["none, when there are none", {}, " without a comment, or nobody reviewed it in time."],
  ])("fails with %s when it is rejected", async (_name, words, told) => {
    const id = await startRun("quarterly-privacy-sweep", input);
    await review(id, { decision: "reject", ...words });
    expect((await ended(id)).error).toEqual({
      code: "workflow_failed",
      message: `The sweep was rejected${told}`,
    });
  });
});

describe("vendor-onboarding", () => {
  const input = { vendor_id: vendors.risky, due_date: "2026-09-15" };

  test("waits for the Python worker; a high risk waits for a person; then asks the vendor by a child run", async () => {
    const id = await startRun("vendor-onboarding", {
      ...input,
      annual_spend_usd: 500_000,
      incidents_last_year: 3,
    });
    await pendingStep(id, "score_vendor_risk");
    startPython();
    await review(id, { decision: "approve" });
    const run = await ended(id);
    expect(run).toMatchObject({ status: "completed", error: null });
    expect(stepOf(run, "approve")).toMatchObject({ status: "skipped" });
    const child = stepOf(run, "privacy_sweep");
    const childId = child?.artifacts.find((each) => each.artifact_type === "workflow_run")?.id;
    expect(child?.details.output).toEqual({ workflow_run_id: childId, status: "completed" });
    const sweep = await getRun(childId ?? "");
    expect(sweep.status).toBe("completed");
    expect(stepOf(sweep, "send_questionnaire[0]")?.artifacts[0]?.id).toBe(vendors.risky);
    expect(stepOf(sweep, "send_questionnaire[1]")).toBeUndefined();
  });

  test("a low risk is approved without a person", async () => {
    const vendor = await lowRiskVendor();
    const run = await ended(await startRun("vendor-onboarding", { ...input, vendor_id: vendor }));
    expect(run).toMatchObject({ status: "completed", error: null });
    expect(stepOf(run, "review")).toMatchObject({ status: "skipped" });
    expect(stepOf(run, "approve")).toMatchObject({ status: "success" });
  });

  test("an unknown vendor fails the run by name", async () => {
    const run = await ended(await startRun("vendor-onboarding", { ...input, vendor_id: "nobody" }));
    expect(run.error).toEqual({
      code: "workflow_failed",
      message: "No vendor has the id nobody.",
    });
  });
});

/** One of the shipped vendors that neither processes personal data nor is critical. */
async function lowRiskVendor(): Promise<string> {
  const file = join(PROJECT_DIR, "apps", "worker", "data", "vendors.json");
  const all = JSON.parse(await readFile(file, "utf8")) as { id: string; tags: string[] }[];
  const found = all.find(
    ({ tags }) => !tags.includes("processes_pii") && !tags.includes("critical"),
  );
  return found?.id ?? "";
}

test("nightly-evidence-refresh retries what is flaky, goes on past what is broken, and reports it", async () => {
  const { port } = target.address() as AddressInfo;
  const source = (name: string) => ({ name, url: `http://127.0.0.1:${port}/${name}` });
  const sources = ["ok1", "flaky", "broken", "ok2"].map(source);
  const run = await ended(await startRun("nightly-evidence-refresh", { sources }));
  expect(run).toMatchObject({ status: "completed", error: null });
  const fetched = run.steps.filter(({ action_type }) => action_type === "http_request");
  expect(fetched.map(({ status }) => status)).toEqual(["success", "success", "failed", "success"]);
  expect(fetched[1]?.details.attempt).toBe(3);
  const report = stepOf(run, "report")?.details.output as { file: string; row_count: number };
  expect(report.row_count).toBe(1);
  expect(await outboxFile(report.file)).toContain("/broken");
  expect(run.steps.at(-1)).toMatchObject({ action_type: "send_email", status: "success" });
});

test("everything is restarted in the middle of every kind of waiting, and goes on", async () => {
  const { port } = target.address() as AddressInfo;
  const gate = {
    action: "http_request",
    with: { method: "GET", url: `http://127.0.0.1:${port}/gate` },
    retry: { max_attempts: 1000, initial_interval: "500ms", max_interval: "1s" },
  };
  const child = [{ key: "ask", action: "wait_for_review" }];
  const parent = [
    { key: "timer", action: "wait", with: { duration: "20s" } },
    { key: "review", action: "wait_for_review" },
    { key: "retries", ...gate },
    { key: "child", action: "run_workflow", with: { workflow_name: "restarted child" } },
    {
      key: "batches",
      ...gate,
      for_each: Array.from({ length: 101 }, (_, n) => n),
      max_concurrency: 5,
    },
  ];
  await define("restarted child", child);
  await define("restarted", parent);
  const id = await startRun("restarted", {});
  const waiting = await waitFor("every kind of waiting", async () => {
    const run = await getRun(id);
    return run.steps.filter(({ status }) => status === null).length === 9 && run;
  });
  await stop();
  await start();
  isGateOpen = true;
  await review(stepOf(waiting, "child")?.artifacts[0]?.id ?? "", { decision: "approve" });
  await review(id, { decision: "approve" });
  const run = await ended(id);
  expect(run).toMatchObject({ status: "completed", error: null });
  expect(run.steps).toHaveLength(105);
  expect(run.steps.filter(({ status }) => status !== "success")).toEqual([]);
});

async function define(name: string, components: readonly object[]): Promise<void> {
  const response = await call("PUT", encodeURIComponent(name), { components });
  expect(await response.text()).toContain(name);
  expect(response.status).toBe(201);
}
