// What batches show and say of themselves.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findBatches } from "../mirror/project-batches.ts";
import { expectProjected } from "../testing/expect-projected.ts";
import { component } from "../testing/rig-runs.ts";
import { untilConfirmed } from "../testing/walk-once.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;

beforeAll(async () => {
  rig = await createWorkerRig();
});

afterAll(() => rig.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Workflow ids of the run's batches, in the order in which they were started. */
async function batchesOf(id: string): Promise<string[]> {
  return findBatches(await rig.client.workflow.getHandle(id).fetchHistory());
}

/** The first line of a batch's page in Temporal Web UI. */
async function headlineOf(workflowId: string): Promise<string | undefined> {
  const handle = rig.client.workflow.getHandle(workflowId);
  const { currentDetails } = await handle.query<{ currentDetails: string }>(
    "__temporal_workflow_metadata",
  );
  return currentDetails.split("\n")[0];
}

test("a batch's page in Temporal Web UI says how it ended", async () => {
  const id = await rig.startRun({
    components: [
      component("each", {
        for_each: range(120).map((index) => (index < 110 ? 1 : 60_000)),
        max_concurrency: 50,
        action: "slow",
        with: { ms: "${{ item }}" },
      }),
    ],
  });
  await waitFor("what is under way in the second batch", async () => {
    const { steps } = await rig.getRun(id);
    return steps.length === 120 && steps.filter(({ status }) => status === null).length === 10;
  });
  const [first = "", second = ""] = await batchesOf(id);
  expect(await headlineOf(second)).toBe("**started**");
  await rig.client.workflow.getHandle(id).cancel();
  await rig.finished(id);
  expect([await headlineOf(first), await headlineOf(second)]).toEqual([
    "**completed**",
    "**canceled**",
  ]);
});

test("what is canceled because the outputs are too large says so", async () => {
  const id = await rig.startRun({
    components: [
      component("each", {
        for_each: range(101).map((index) => ({
          size: index < 2 ? 900_000 : 1,
          ms: index < 2 ? 500 : 60_000,
        })),
        max_concurrency: 4,
        action: "produce",
        with: { size: "${{ item.size }}", ms: "${{ item.ms }}" },
      }),
    ],
  });
  const { steps, errorMessage } = await untilConfirmed(rig, id);
  expect(errorMessage).toMatch(/ The collected output of the items has \d+ bytes; 1572864 are /);
  const said = steps.flatMap(({ stepKey, message }) =>
    stepKey === "each" || message === null ? [] : [`${stepKey} ${message}`],
  );
  const why = "Canceled because the outputs of items [0-99] exceed 1572864 bytes.";
  expect(said.slice(0, 2)).toEqual([`each[2] ${why}`, `each[3] ${why}`]);
  expect(said.filter((each) => !each.endsWith(why))).toEqual([]);
  await expectProjected(rig, id);
});
