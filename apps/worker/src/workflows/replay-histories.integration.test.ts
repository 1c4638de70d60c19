// Histories of every shape, recorded once by the release that made them and replayed by every later one.
// A failure means: runs that are under way would break. See CONTRIBUTING.md, "Change the interpreter".
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createLogger } from "@truerun/shared/logger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MirrorRecord } from "../mirror/mirror-record.ts";
import { createReplayer, type History, type Replayer } from "../mirror/replay-history.ts";
import type { Shape } from "../testing/shape.ts";
import { SHAPES } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { installTemporalRuntime } from "../temporal-runtime.ts";
import { WORKFLOW_BUNDLE } from "../workflow-bundle-path.ts";

/** One file. */
interface Recorded {
  workflow_run_id: string;
  /** What the mirror was handed, in order. */
  mirror: MirrorRecord[];
  history: unknown;
}

const FOLDER = fileURLToPath(new URL("histories", import.meta.url));
const recorded = new Set(readdirSync(FOLDER));
const isRecording = process.env["RECORD_HISTORIES"] === "1";
/** Half a megabyte of nothing is not worth keeping. */
const shapes = SHAPES.filter(({ name }) => name !== "an input over the limit");

let replayer: Replayer;
beforeAll(() => {
  // To record, the rig installs it.
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

async function read(file: string): Promise<Recorded> {
  return JSON.parse(await readFile(join(FOLDER, file), "utf8")) as Recorded;
}

async function replay(history: unknown, workflowRunId: string): Promise<MirrorRecord[]> {
  return await replayer.replay(history as History, workflowRunId);
}

async function record(rig: WorkerRig, shape: Shape): Promise<void> {
  const id = await startShape(rig, shape);
  const handle = rig.client.workflow.getHandle(id);
  await waitFor("the end", async () => (await handle.describe()).status.name !== "RUNNING", 30_000);
  const history = await handle.fetchHistory();
  await save(fileOf(shape), id, history);
  const batch = (history.events ?? [])
    .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? "")
    .find((workflowId) => workflowId.startsWith(`${id}/`));
  if (batch === undefined) return;
  const ofBatch = await rig.client.workflow.getHandle(batch).fetchHistory();
  await save(fileOf(shape).replace(".json", ".batch.json"), batch, ofBatch);
}

async function save(file: string, workflowId: string, fetched: History): Promise<void> {
  const history = JSON.parse(historyToJSON(fetched), withoutMachine) as unknown;
  const mirror = await replay(history, workflowId);
  const content: Recorded = { workflow_run_id: workflowId, mirror, history };
  await writeFile(join(FOLDER, file), `${JSON.stringify(content, null, 1)}\n`);
}

/** What tells of the machine that recorded, and takes no part in a replay. */
function withoutMachine(name: string, value: unknown): unknown {
  if (name === "stackTrace") return undefined;
  const isIdentity = typeof value === "string" && /^\d+@/.test(value);
  return isIdentity ? "recorder" : value;
}
