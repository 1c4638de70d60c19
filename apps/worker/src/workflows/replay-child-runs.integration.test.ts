// Whoever takes over a run with several child runs has to make them in the order in which they were made.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { isBatchOf } from "@truerun/shared/batch-id";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectRun } from "../mirror/inspect-run.ts";
import { childrenOf, runs, slow } from "../testing/child-runs.ts";
import { component, local } from "../testing/rig-runs.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

/** A workflow task has room for two of them. */
const LARGE_INPUT = { large: { text: "x".repeat(900_000) } };
/** Near the limit: the inputs of a batch are small, but each child run is started with its whole definition. */
const LONG_DESCRIPTION = "x".repeat(400_000);
const COUNT = 6;
/** More than run inline. */
const BATCHED = 101;

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const large = runs("slow", { input: "${{ input.large }}" });
const long = runs("long", { input: "${{ item.small }}" });

const like = ({ action, with: given }: ComponentDefinition, key: string): ComponentDefinition =>
  component(key, { action, with: given });

async function replay(workflowId: string): Promise<string[]> {
  const history = await rig.client.workflow.getHandle(workflowId).fetchHistory();
  await rig.replayer.replay(history, workflowId);
  const started = history.events?.map(
    (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId,
  );
  return started?.filter((id) => id != null) ?? [];
}

describe("child runs with large inputs replay while they are under way, and once they have ended", () => {
  test.each<[string, ComponentDefinition[]]>([
    ["steps side by side", range(COUNT).map((n) => like(large, `run_${n}`))],
    ["items", [{ ...like(large, "each"), for_each: range(COUNT), max_concurrency: COUNT }]],
    [
      "items in batches",
      [
        {
          ...like(long, "each"),
          // All others are skipped.
          for_each: range(BATCHED).map((n) => (n < COUNT ? { small: {} } : {})),
          max_concurrency: COUNT,
        },
      ],
    ],
    [
      "steps beside one inside its workflow task",
      [local("local"), ...range(COUNT).map((n) => like(large, `run_${n}`))],
    ],
  ])("%s", async (_name, components) => {
    const id = await rig.startRun({
      input: LARGE_INPUT,
      components,
      others: {
        slow: slow(60_000),
        long: { ...slow(60_000), description: LONG_DESCRIPTION },
      },
    });
    await waitFor("all child runs under way", async () => {
      const children = await childrenOf(rig, id);
      return children.filter(({ steps }) => steps.length > 0).length === COUNT;
    });
    const started = await replay(id);
    const batch = started.find((workflowId) => isBatchOf(id, workflowId));
    expect(batch === undefined ? started : await replay(batch)).toHaveLength(COUNT);
    await rig.client.workflow.getHandle(id).cancel();
    await untilConfirmed(rig, id);
    expect(await inspectRun(rig, id)).toMatchObject({ kind: "equal" });
  });
});
