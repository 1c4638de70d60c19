// What Temporal keeps of a run, with and without PAYLOAD_ENCRYPTION_KEY, as its own file on disk shows it.
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "@truerun/dev/processes/ports";
import { TEMPORAL_CACHE_DIR } from "@truerun/dev/project-paths";
import { findTemporal } from "@truerun/dev/temporal/find-temporal";
import { startTemporal, type TemporalServer } from "@truerun/dev/temporal/start-temporal";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { ANSWER_REVIEW } from "@truerun/shared/contracts/review";
import { createDispatcher } from "@truerun/shared/dispatch/dispatcher";
import { failureMessage, UNREADABLE_FAILURE } from "@truerun/shared/failure-message";
import { parseEnvironment, temporalEnv } from "@truerun/shared/config";
import { toDataConverter } from "@truerun/shared/payloads/data-converter";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { audit } from "../audit/audit.ts";
import { projectRun } from "../mirror/project-history.ts";
import { createReplayer } from "../mirror/replay-history.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { to } from "../testing/shape.ts";
import { SHAPES } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { component, retryEvery, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { WORKFLOW_BUNDLE } from "../workflow-bundle-path.ts";

const newKey = (): string => randomBytes(32).toString("base64");
const keys = [newKey(), newKey()] as const;

let folder: string;
let server: TemporalServer;
/** Workers and clients with a key, and without. */
let keyed: WorkerRig;
let plain: WorkerRig;
/** Those made so far, to be closed. */
const rigs: WorkerRig[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-encryption-"));
  const options = { cliPath: process.env["TEMPORAL_CLI_PATH"], cacheDir: TEMPORAL_CACHE_DIR };
  server = await startTemporal({
    cliPath: await findTemporal(options),
    dbFile: join(folder, "temporal.db"),
    port: await findFreePort(),
    uiPort: null,
    namespace: "default",
    logFile: join(folder, "temporal.log"),
  });
  const TEMPORAL_ADDRESS = server.address;
  const PAYLOAD_ENCRYPTION_KEY = keys.join(",");
  keyed = await createWorkerRig({ environment: { TEMPORAL_ADDRESS, PAYLOAD_ENCRYPTION_KEY } });
  rigs.push(keyed);
  plain = await createWorkerRig({ environment: { TEMPORAL_ADDRESS } });
  rigs.push(plain);
});
afterAll(async () => {
  await Promise.all(rigs.map((rig) => rig.close()));
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that Temporal has written to its disk. */
async function readDisk(): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.startsWith("temporal.db"));
  const texts = files.map((name) => readFile(join(folder, name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

const PLACES = [
  "input",
  "with",
  "output",
  "attempt",
  "failure",
  "heartbeat",
  "name",
  "prompt",
  "comment",
  "end",
  "child",
  "child-end",
  "batch",
  "description",
] as const;
type Place = (typeof PLACES)[number];

/** A run that has its own canary in each place. */
async function runWithCanaries(rig: WorkerRig): Promise<{ run: RunRow; canaries: string[] }> {
  const mark = randomBytes(6).toString("hex");
  const canary = (place: Place): string => `canary-${place}-${mark}`;
  const id = await rig.startRun({
    input: { text: canary("input") },
    description: canary("description"),
    others: {
      child: {
        components: [
          component("use", { with: { value: "${{ input.text }}" }, next: [to("stop")] }),
          component("stop", { action: "fail", with: { message: canary("child-end") } }),
        ],
      },
    },
    components: [
      component("use", {
        with: { value: [canary("with"), "${{ input.text }}"] },
        next: [to("give")],
      }),
      component("give", { action: "touch", with: { id: canary("output") }, next: [to("beat")] }),
      component("beat", {
        name: canary("name"),
        action: "beat",
        with: { details: canary("heartbeat"), ms: 300 },
        next: [to("retried")],
      }),
      component("retried", {
        action: "flaky",
        with: { message: canary("attempt"), succeed_at: 2 },
        next: [to("broken")],
      }),
      component("broken", {
        action: "flaky",
        with: { message: canary("failure"), retryable: false },
        retry: retryEvery("1s", 1),
        on_failure: "continue",
        next: [to("child", "always")],
      }),
      component("child", {
        action: "run_workflow",
        with: { workflow_name: "child", input: { text: canary("child") } },
        on_failure: "continue",
        next: [to("batches", "always")],
      }),
      component("batches", {
        for_each: Array.from({ length: 101 }, (_, index) => index),
        max_concurrency: 100,
        action: "flaky",
        with: { succeed_at: 1, message: canary("batch") },
        on_failure: "continue",
        next: [to("review", "always")],
      }),
      component("review", {
        action: "wait_for_review",
        with: { prompt: canary("prompt") },
        next: [to("stop")],
      }),
      component("stop", { action: "fail", with: { message: canary("end") } }),
    ],
  });
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the review to be waited for", async () => {
    const { steps } = await rig.getRun(id);
    return steps.some(({ stepKey }) => stepKey === "review");
  });
  const answer = {
    step_key: "review",
    decision: "approve",
    comment: canary("comment"),
    decided_by: null,
  };
  await handle.executeUpdate(ANSWER_REVIEW, { args: [answer] });
  return { run: await rig.finished(id), canaries: PLACES.map(canary) };
}

describe("with a key", () => {
  test("nothing that a run holds is on Temporal's disk, and everything is in its rows", async () => {
    const [hidden, shown] = [await runWithCanaries(keyed), await runWithCanaries(plain)];
    const disk = await readDisk();
    // Without a key all of it is there, which shows that the search would find it.
    expect(shown.canaries.filter((canary) => !disk.includes(canary))).toEqual([]);
    expect(hidden.canaries.filter((canary) => disk.includes(canary))).toEqual([]);
    for (const key of keys) {
      expect(disk).not.toContain(key);
      expect(disk).not.toContain(Buffer.from(key, "base64").toString("latin1"));
    }
    const { steps, errorMessage } = hidden.run;
    const messageOf = (stepKey: string) => steps.find((step) => step.stepKey === stepKey)?.message;
    expect(errorMessage).toBe(hidden.canaries[PLACES.indexOf("end")]);
    expect(messageOf("broken")).toContain("canary-failure-");
    const projection = await projectRun(keyed, hidden.run.id, hidden.run.temporalRunId ?? "");
    expect(projection.steps.map(({ step_key, digest }) => [step_key, digest])).toEqual(
      steps.map(({ stepKey, digest }) => [stepKey, Number(digest)]),
    );
  });

  test("a run that was started without it goes on", async () => {
    const { PAYLOAD_ENCRYPTION_KEY: _, ...config } = keyed.config;
    const temporal = createTemporalClient(config);
    const dispatcher = createDispatcher({
      client: temporal.client,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      deadlineMs: 10_000,
      logger: keyed.logger,
    });
    const id = await keyed.startRun({
      dispatcher,
      input: { text: "as before" },
      components: [
        component("use", { with: { value: "${{ input.text }}" }, next: [to("review")] }),
        component("review", { action: "wait_for_review", with: {}, next: [to("end")] }),
        component("end", { with: { value: "${{ steps.review.output.comment }}" } }),
      ],
    });
    await waitFor("the review", async () => (await keyed.getRun(id)).steps.length === 2);
    const answer = {
      step_key: "review",
      decision: "approve",
      comment: "so be it",
      decided_by: null,
    };
    const handle = keyed.client.workflow.getHandle(id);
    await handle.executeUpdate(ANSWER_REVIEW, { args: [answer] });
    const run = await keyed.finished(id);
    await temporal.close();
    expect(run.status).toBe("completed");
    expect([run.steps[0]?.output, run.steps[2]?.output]).toEqual(["as before", "so be it"]);
  });

  test("the failure of an attempt can be told while the next one is awaited", async () => {
    const id = await keyed.startRun({
      components: [
        component("bad", {
          action: "flaky",
          with: { message: "not yet" },
          retry: retryEvery("30s", 2),
        }),
      ],
    });
    const handle = keyed.client.workflow.getHandle(id);
    const failure = await waitFor("the first attempt's failure", async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.[0]?.lastFailure;
    });
    expect(failure.message).toBe("Encoded failure");
    expect(await failureMessage(keyed.client, failure)).toBe("not yet");
    for (const PAYLOAD_ENCRYPTION_KEY of [newKey(), ""]) {
      const config = parseEnvironment(z.object(temporalEnv), { PAYLOAD_ENCRYPTION_KEY });
      const { client } = createTemporalClient(config);
      expect(await failureMessage(client, failure)).toBe(UNREADABLE_FAILURE);
    }
    await handle.terminate();
  });

  test("a history is not projected without it", async () => {
    const id = await keyed.startRun({ components: [component("only")] });
    await keyed.finished(id);
    const history = await waitFor("the whole history", async () => {
      const fetched = await keyed.client.workflow.getHandle(id).fetchHistory();
      return fetched.events?.at(-1)?.workflowExecutionCompletedEventAttributes != null && fetched;
    });
    expect(await keyed.replayer.replay(history, id)).not.toEqual([]);
    for (const PAYLOAD_ENCRYPTION_KEY of [newKey(), ""]) {
      const dataConverter = toDataConverter(
        parseEnvironment(z.object(temporalEnv), { PAYLOAD_ENCRYPTION_KEY }),
      );
      const replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE, dataConverter });
      await expect(replayer.replay(history, id)).rejects.toBeInstanceOf(Error);
      await replayer.close();
    }
  });

  test("an audit reads what it can, and mends nothing that it cannot read", async () => {
    const id = await keyed.startRun({ components: [component("only")] });
    await keyed.finished(id);
    const confirmed = await untilConfirmed(keyed, id);
    const auditWith = (config: WorkerRig["config"]) =>
      audit({
        config,
        repair: true,
        runs: [id],
        since: null,
        out: { write: (text: string) => said.push(text) },
        progress: { write: () => undefined },
        signal: new AbortController().signal,
      });
    const said: string[] = [];
    expect(await auditWith(keyed.config)).toBe(true);
    const { PAYLOAD_ENCRYPTION_KEY: _, ...keyless } = keyed.config;
    expect(await auditWith(keyless)).toBe(false);
    expect(said.join("")).toContain(id);
    expect(await keyed.getRun(id)).toEqual(confirmed);
  });

  test("that a worker lacks, runs wait for it and lose nothing", async () => {
    const lost = newKey();
    const TEMPORAL_TASK_QUEUE = `encryption-${randomBytes(6).toString("hex")}`;
    const rigWith = (PAYLOAD_ENCRYPTION_KEY: string, idle: boolean) => {
      const TEMPORAL_ADDRESS = server.address;
      const environment = { TEMPORAL_ADDRESS, TEMPORAL_TASK_QUEUE, PAYLOAD_ENCRYPTION_KEY };
      return createWorkerRig({ environment, idle });
    };
    const starter = await rigWith(lost, true);
    const id = await starter.startRun({ input: { a: 1 }, components: [component("only")] });
    const handle = starter.client.workflow.getHandle(id);
    const attempts = async () => (await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 0;
    for (const without of [newKey(), ""]) {
      const before = await attempts();
      const unable = await rigWith(without, false);
      await waitFor("a workflow task that failed", async () => (await attempts()) > before);
      await unable.close();
    }
    const able = await rigWith(`${newKey()},${lost}`, false);
    await waitFor(
      "the run's end",
      async () => (await handle.describe()).status.name === "COMPLETED",
    );
    await Promise.all([able.close(), starter.close()]);
  });

  for (const shape of SHAPES) {
    test.concurrent(`a run is what it is without: ${shape.name}`, async () => {
      const id = await startShape(keyed, shape);
      await waitFor(`Temporal to close ${id}`, async () => {
        const { status } = await keyed.client.workflow.getHandle(id).describe();
        return status.name !== "RUNNING";
      });
      const { temporalRunId, ...row } = await keyed.getRun(id);
      const { steps, end } = await projectRun(keyed, id, temporalRunId ?? "");
      expect(end?.status).toBe(shape.ends);
      // Where no workflow code runs at the end, the rows wait for the projection.
      if (shape.operator?.action === "terminate" || shape.timeout !== undefined) return;
      const { steps: rows, status, errorMessage } = row;
      expect([status, errorMessage]).toEqual([end?.status, end?.error_message]);
      expect(steps.map(({ step_key, digest }) => [step_key, digest])).toEqual(
        rows.map(({ stepKey, digest }) => [stepKey, Number(digest)]),
      );
    });
  }
});
