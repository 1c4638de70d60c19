import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { component, createWorkerRig, type RunRow, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;

beforeAll(async () => {
  rig = await createWorkerRig();
});

afterAll(() => rig.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function stepsOf(run: RunRow): string[] {
  return run.steps.map(({ stepKey, status }) => `${stepKey}: ${status}`);
}

describe.each([
  ["inline", 7],
  ["in batches", 230],
])("for_each %s", (_name, count) => {
  test("gives one step an item and collects the outputs in the items' order", async () => {
    const id = await rig.startRun({
      input: { items: range(count).map((n) => ({ n })) },
      components: [
        component("each", {
          for_each: "${{ input.items }}",
          max_concurrency: 20,
          with: { value: ["${{ item.n }}", "${{ index }}"] },
          next: [{ to: "after", on: "success" }],
        }),
        component("after", { with: { value: "${{ steps.each.output }}" } }),
      ],
    });
    const run = await rig.finished(id);
    expect(run.errorMessage).toBeNull();
    expect(run.status).toBe("completed");
    expect(stepsOf(run)).toEqual([
      ...range(count).map((n) => `each[${n}]: success`),
      "after: success",
    ]);
    expect(run.steps.map(({ itemIndex }) => itemIndex)).toEqual([...range(count), null]);
    expect(run.steps.at(-1)?.output).toEqual(range(count).map((n) => [n, n]));
  });
});
