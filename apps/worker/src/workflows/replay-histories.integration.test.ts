// Histories of every shape, recorded once by the release that made them and replayed by every later one.
// A failure means: runs that are under way would break. See CONTRIBUTING.md, "Change the interpreter".
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import v8 from "node:v8";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { isBatchOf } from "@truerun/shared/batch-id";
import { createLogger } from "@truerun/shared/logger";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { MirrorRecord } from "../mirror/mirror-record.ts";
import type { History } from "@truerun/shared/describe-execution";
import { createReplayer, type Replayer } from "../mirror/replay-history.ts";
import type { Shape } from "../testing/shape.ts";
import {
  HISTORIES,
  isRecording,
  type RecordedHistory,
  saveHistory,
} from "../testing/save-history.ts";
import { SHAPES } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { installTemporalRuntime } from "../temporal-runtime.ts";
import { WORKFLOW_BUNDLE } from "../workflow-bundle-path.ts";

const recorded = new Set(readdirSync(HISTORIES));
/** Half a megabyte of nothing is not worth keeping. */
const shapes = SHAPES.filter(({ name }) => name !== "an input over the limit");

/** Watched from the very start: the hooks are set once per process. */
const promiseHooks = vi.spyOn(v8.promiseHooks, "createHook");

let replayer: Replayer;
beforeAll(() => {
  // When recording, the rig installs the runtime.
  if (!isRecording)
    installTemporalRuntime(createLogger({ name: "test", level: "silent" }), "silent");
  replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE });
});
afterAll(() => replayer.close());

describe.runIf(isRecording)("record", () => {
  let rig: WorkerRig;
  beforeAll(async () => {
    rig = await createWorkerRig();
  });
  afterAll(() => rig.close());
  for (const shape of shapes.filter((each) => !recorded.has(fileOf(each)))) {
    test(shape.name, () => record(rig, shape));
  }
});

describe.runIf(!isRecording)("replay", () => {
  test.for([...recorded])("%s", async (file) => {
    const { workflow_run_id, mirror, history } = await read(file);
    expect(await replay(history, workflow_run_id)).toEqual(mirror);
  });

  test("the SDK's hooks for workflow code stay out of this thread", async () => {
    const [file] = recorded;
    const { workflow_run_id, history } = await read(file ?? "");
    await replay(history, workflow_run_id);
    expect(promiseHooks).not.toHaveBeenCalled();
  });

  test("every shape has a recorded history", () => {
    expect(shapes.map(fileOf).filter((file) => !recorded.has(file))).toEqual([]);
  });

  test("a history that today's code would not make is noticed", async () => {
    const { workflow_run_id, history } = await read(fileOf({ name: "sequence" }));
    const other = JSON.stringify(history).replaceAll('"name":"transform"', '"name":"http_request"');
    await expect(replay(JSON.parse(other), workflow_run_id)).rejects.toThrow(/[Nn]ondeterminism/);
  });

  test("histories behind one that cannot be replayed, or is none, are replayed", async () => {
    const { workflow_run_id, mirror, history } = await read(fileOf({ name: "sequence" }));
    const other = JSON.stringify(history).replaceAll('"name":"transform"', '"name":"http_request"');
    const results = await Promise.allSettled(
      [JSON.parse(other), history, { events: [] }, history].map((each) =>
        replay(each, workflow_run_id),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual([
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    for (const result of results)
      if (result.status === "fulfilled") expect(result.value).toEqual(mirror);
  });
});

function fileOf({ name }: Pick<Shape, "name">): string {
  return `${name.replaceAll(/[^a-z]+/g, "-")}.json`;
}

async function read(file: string): Promise<RecordedHistory> {
  return JSON.parse(await readFile(join(HISTORIES, file), "utf8")) as RecordedHistory;
}

async function replay(history: unknown, workflowRunId: string): Promise<MirrorRecord[]> {
  return await replayer.replay(history as History, workflowRunId);
}

async function record(rig: WorkerRig, shape: Shape): Promise<void> {
  const id = await startShape(rig, shape);
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the end", async () => (await handle.describe()).status.name !== "RUNNING");
  const history = await handle.fetchHistory();
  await saveHistory(replayer, { file: fileOf(shape), workflowId: id, fetched: history });
  const batch = (history.events ?? [])
    .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? "")
    .find((workflowId) => isBatchOf(id, workflowId));
  if (batch === undefined) return;
  const ofBatch = await rig.client.workflow.getHandle(batch).fetchHistory();
  const file = fileOf(shape).replace(".json", ".batch.json");
  await saveHistory(replayer, { file, workflowId: batch, fetched: ofBatch });
}
