// Steps that another team's worker runs: a real one, in Python.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { TEMPORAL_CACHE_DIR } from "@truerun/dev/project-paths";
import { findPythonSdk, type PythonSdk } from "@truerun/dev/python/find-python-sdk";
import { uniqueName } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { Json, JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectProjected } from "../testing/expect-projected.ts";
import { HISTORIES, isRecording, saveHistory } from "../testing/save-history.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { component, local, retryEvery, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { parseExternalComponent } from "./external-component.ts";

const WORKER = fileURLToPath(new URL("testing/worker.py", import.meta.url));
const TASK_QUEUE = uniqueName("python");
const object = (properties: JsonObject, required: string[]): JsonObject => ({
  type: "object",
  properties,
  required,
});
const act = parseExternalComponent({
  action_type: "act",
  title: "Act",
  description: "For tests",
  task_queue: TASK_QUEUE,
  input_schema: object({ do: { type: "string" } }, ["do"]),
  output_schema: object({ value: {}, score: { type: "integer", maximum: 100 } }, ["value"]),
});
const unknown = { ...act, action: "nobody_does" };

let rig: WorkerRig;
let sdk: PythonSdk;
let folder: string;
let log: string;
const started: ManagedProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-python-"));
  log = join(folder, "worker.log");
  sdk = await findPythonSdk({ cacheDir: TEMPORAL_CACHE_DIR });
  rig = await createWorkerRig({
    externalComponents: new Map([act, unknown].map((each) => [each.action, each])),
  });
  await startPython();
}, 120_000);
afterAll(async () => {
  for (const each of started) await each.stop("SIGKILL", 0);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

async function startPython(): Promise<ManagedProcess> {
  const python = await startProcess({
    command: sdk.command,
    args: [WORKER, rig.config.TEMPORAL_ADDRESS, TASK_QUEUE],
    env: { ...process.env, ...sdk.environment },
    logFile: log,
  });
  started.push(python);
  await waitFor("the Python worker", () => python.tail().includes(`ready ${python.pid}`));
  return python;
}

/** The component as a saved definition holds it. */
function external(
  key: string,
  input: JsonObject,
  more: Partial<ComponentDefinition> = {},
): ComponentDefinition {
  const settings = { action: "act", with: input, task_queue: TASK_QUEUE };
  return component(key, { ...settings, heartbeat_timeout: "2s", ...more });
}

async function run(...components: ComponentDefinition[]): Promise<RunRow> {
  return await rig.finished(await rig.startRun({ components }));
}

/** Once the end is confirmed the tables say what a replay of the history says. */
async function expectConfirmed({ id }: RunRow): Promise<void> {
  await untilConfirmed(rig, id);
  await expectProjected(rig, id);
}

test("its output and artifacts are the step's; the next component sees them", async () => {
  const value = { text: "grün \ud800", list: [1, null, { __proto: 1 }] };
  const seen = await run(
    external("first", { do: "echo", value }, { next: [{ to: "second", on: "success" }] }),
    component("second", { with: { value: "${{ steps.first.output.value }}" } }),
  );
  expect(seen.status).toBe("completed");
  expect(seen.steps[0]).toMatchObject({
    status: "success",
    message: null,
    actionType: "act",
    output: { value },
    artifacts: [{ artifact_type: "thing", id: "t1", role: "result" }],
    attempt: null,
    startedAtMs: null,
    finishedAtMs: null,
  });
  expect(seen.steps[1]?.output).toEqual(value);
  await expectConfirmed(seen);
});

test("what its input and output are called is its own affair, beside local components as well", async () => {
  const value = { step_key: "s" };
  const seen = await run(
    external("first", { do: "echo", value, step_key: "x" }),
    local("beside"),
    external("second", give({ output: { value: 1 }, step_key: "y" })),
  );
  expect(seen.steps.map(({ status }) => status)).toEqual(["success", "success", "success"]);
});

test("an input that does not fit its schema is refused before the other worker sees it", async () => {
  const seen = await run(external("bad_input", { do: 5 }));
  expect(seen.steps).toMatchObject([
    { status: "failed", message: "with.do: Input should be a valid string" },
  ]);
  expect(await readFile(log, "utf8")).not.toContain(seen.id);
  await expectConfirmed(seen);
});

const TOO_LARGE = /^The component's result is larger than Temporal takes\.$/;

describe("a result that cannot be used fails the step, once, and says why", () => {
  test.concurrent.for<[what: string, input: JsonObject, message: RegExp]>([
    ["no envelope", give("text"), /must return an object with the member output$/],
    ["nothing", give(null), /must return an object with the member output$/],
    ["a list", give([{ output: 1 }]), /must return an object with the member output$/],
    [
      "another output",
      give({ output: { value: 1, score: 101 } }),
      /^output\.score: .*equal to 100$/,
    ],
    ["no output's member", give({ output: {} }), /^output\.value: Field required$/],
    [
      "a bad artifact",
      give({ output: { value: 1 }, artifacts: [{ id: "x" }] }),
      /^artifacts\[0\]\.artifact_type: /,
    ],
    ["NaN", { do: "nan" }, /^The component's result is no JSON: /],
    ["a protobuf", { do: "protobuf" }, /^The component's result is no JSON: .*json\/protobuf/],
    ["600 lists in each other", { do: "deep" }, /nests deeper than 500 levels/],
    [
      "over 1 MiB",
      { do: "size", value: 1_048_576 },
      /^The output takes 1048\d+ bytes, more than the 1048576/,
    ],
    ["over Temporal's 2 MB", { do: "size", value: 2_200_000 }, TOO_LARGE],
    ["over gRPC's 4 MB", { do: "size", value: 5_000_000 }, TOO_LARGE],
  ])("%s", { timeout: 90_000 }, async ([, input, message]) => {
    const seen = await run(external("step", input, { timeout: "10s" }));
    expect(seen).toMatchObject({ status: "failed", errorCode: "component_failed" });
    expect(seen.steps).toMatchObject([{ status: "failed", artifacts: [], output: null }]);
    expect(seen.steps[0]?.message).toMatch(message);
    expect(await readFile(log, "utf8")).not.toContain(`key ${seen.id}:step 2`);
    await expectConfirmed(seen);
  });
});

function give(value: Json): JsonObject {
  return { do: "give", value };
}

test("artifacts may be null or left out", async () => {
  const seen = await run(
    external("null", give({ output: { value: 1 }, artifacts: null })),
    external("none", give({ output: { value: 1 } })),
  );
  expect(seen.steps.map(({ status, artifacts }) => [status, artifacts])).toEqual([
    ["success", []],
    ["success", []],
  ]);
});

test("an exception is retried by the definition's policy, under one idempotency key", async () => {
  const seen = await run(external("again", { do: "retry", value: 2 }));
  expect(seen.steps).toMatchObject([{ status: "success", output: { value: 2 } }]);
  const said = await readFile(log, "utf8");
  expect(said).toContain(`key ${seen.id}:again 1`);
  expect(said).toContain(`key ${seen.id}:again 2`);
  const exhausted = await run(external("again", { do: "retry", value: 9 }));
  expect(exhausted.steps).toMatchObject([
    { status: "failed", message: "attempt 2 is not enough", attempt: null },
  ]);
});

test("what is not retryable fails at once, whatever its details; a long message is cut", async () => {
  const seen = await run(external("refused", { do: "refuse" }));
  expect(seen.steps).toMatchObject([{ status: "failed", message: "No such vendor" }]);
  expect(await readFile(log, "utf8")).not.toContain(`key ${seen.id}:refused 2`);
  const long = await run(external("long", { do: "raise" }));
  expect(long.steps[0]?.message).toMatch(/^x{1900,}…$/);
  await expectConfirmed(seen);
});

test("an action that the other worker does not know fails at once", async () => {
  const retry = retryEvery("10m", 5);
  const seen = await run(external("lost", { do: "echo" }, { action: "nobody_does", retry }));
  expect(seen.steps).toMatchObject([
    {
      status: "failed",
      message: "The worker on the action's task queue does not know the action.",
    },
  ]);
  const undeclared = await run(external("lost", { do: "echo" }, { action: "undeclared" }));
  expect(undeclared.steps[0]?.message).toContain("no declaration of the action 'undeclared'");
});

test("what only other workers declare is checked by the catalogue", async () => {
  const { title, description, inputSchema, outputSchema, taskQueue } = act;
  const defaults = { ...act.defaults, retry: { ...act.defaults.retry } };
  const about = { title, description, inputSchema, outputSchema, defaults, taskQueue };
  await rig.db.componentType.create({ data: { actionType: "published", ...about } });
  const seen = await run(external("a", {}, { action: "published" }));
  expect(seen.steps[0]?.message).toContain("with.do");
  const good = await run(external("a", { do: "echo" }, { action: "published" }));
  // Its input was taken; the Python worker does not know it.
  expect(good.steps[0]?.message).toContain("task queue does not know the action");
});

test("a cancellation reaches it with the answer to a heartbeat", async () => {
  const id = await rig.startRun({
    components: [external("long", { do: "wait" }, { timeout: "1m" })],
  });
  await waitFor("the attempt", async () =>
    (await readFile(log, "utf8")).includes(`key ${id}:long`),
  );
  expect((await rig.getRun(id)).steps).toMatchObject([{ stepKey: "long", status: null }]);
  await rig.client.workflow.getHandle(id).cancel();
  const seen = await rig.finished(id);
  expect(seen.status).toBe("canceled");
  expect(seen.steps).toMatchObject([{ status: "failed", message: "The run was canceled." }]);
  expect(await readFile(log, "utf8")).toContain("canceled long");
  await expectConfirmed(seen);
});

describe("for_each", () => {
  test("here and in batches, under the run's own idempotency keys", async () => {
    const items = (count: number) => Array.from({ length: count }, (_, n) => n);
    const each = { do: "echo", value: "${{ item }}" };
    const few = external("few", each, { for_each: items(3), max_concurrency: 2 });
    const many = external("many", each, { for_each: items(101), max_concurrency: 20 });
    const seen = await run(few, many);
    expect(seen.status).toBe("completed");
    expect(seen.steps.filter(({ status }) => status === "success")).toHaveLength(104);
    const last = seen.steps.find(({ stepKey }) => stepKey === "many[100]");
    expect(last).toMatchObject({ output: { value: 100 }, itemIndex: 100 });
    expect(last?.artifacts).toEqual([{ artifact_type: "thing", id: "t1", role: "result" }]);
    const said = await readFile(log, "utf8");
    for (const key of ["few[2]", "many[0]", "many[100]"]) {
      expect(said).toContain(`key ${seen.id}:${key} 1\n`);
    }
    await expectConfirmed(seen);
  });
});

const isRecorded = existsSync(join(HISTORIES, "external-steps.json"));

test.runIf(isRecording && !isRecorded)("record", async () => {
  const to = (key: string): Pick<ComponentDefinition, "next" | "on_failure"> => ({
    next: [{ to: key, on: "always" }],
    on_failure: "continue",
  });
  const seen = await run(
    external("echo", { do: "echo", value: 1 }, to("bad_input")),
    external("bad_input", { do: 1 }, to("bad_output")),
    external("bad_output", give({ output: 1 }), to("nan")),
    external("nan", { do: "nan" }, to("refused")),
    external("refused", { do: "refuse" }, to("each")),
    external("each", give({ output: { value: "${{ item }}" } }), { for_each: [1, 2] }),
  );
  const fetched = await rig.client.workflow.getHandle(seen.id).fetchHistory();
  await saveHistory(rig.replayer, { file: "external-steps.json", workflowId: seen.id, fetched });
});

test("killed, its heartbeats stop, and the attempt is another worker's", async () => {
  const id = await rig.startRun({
    components: [external("held", { do: "wait" }, { timeout: "1m" })],
  });
  await waitFor("the attempt", async () =>
    (await readFile(log, "utf8")).includes(`key ${id}:held 1`),
  );
  for (const each of started.splice(0)) await each.stop("SIGKILL", 0);
  await startPython();
  await waitFor("the next attempt", async () =>
    (await readFile(log, "utf8")).includes(`key ${id}:held 2`),
  );
  await rig.client.workflow.getHandle(id).cancel();
  expect((await rig.finished(id)).status).toBe("canceled");
});

test("a worker that stays silent fails its step in the end", async () => {
  const id = await rig.startRun({
    components: [
      external(
        "held",
        { do: "wait" },
        {
          timeout: "1m",
          retry: retryEvery("1s", 1),
        },
      ),
    ],
  });
  await waitFor("the attempt", async () =>
    (await readFile(log, "utf8")).includes(`key ${id}:held`),
  );
  for (const each of started.splice(0)) await each.stop("SIGKILL", 0);
  const seen = await rig.finished(id);
  expect(seen.steps).toMatchObject([
    { status: "failed", message: "The worker that ran the component stopped answering." },
  ]);
});
