// How long a wait is, and what cannot be waited for. What it outlives is tested in `main.integration.test.ts`.
import type { JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, expect, test } from "vitest";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

async function wait(given: JsonObject, input: JsonObject = {}): Promise<RunRow> {
  const components = [component("wait", { action: "wait", with: given })];
  return await rig.finished(await rig.startRun({ components, input }));
}

test("it lasts until its moment, or for its duration, as a reference gives them", async () => {
  const until = Math.ceil(Date.now() / 1_000) + 3;
  const [toMoment, forDuration] = await Promise.all([
    wait({ until: "${{ input.until }}" }, { until }),
    wait({ duration: "${{ input.ms }}ms" }, { ms: 1_500 }),
  ]);
  expect(toMoment.steps).toMatchObject([{ status: "success", output: {} }]);
  expect(toMoment.steps[0]?.updatedAt.getTime()).toBeGreaterThanOrEqual(until * 1_000);
  const [step] = forDuration.steps;
  expect(step).toMatchObject({ status: "success", output: {} });
  const ms = Number(step?.updatedAt.getTime()) - Number(step?.createdAt.getTime());
  expect(ms).toBeGreaterThanOrEqual(1_500);
});

const INPUT = { far: 9_999_999_999, soon: "soon", text: "1700000000" };
test.each<[string, JsonObject, string]>([
  ["nothing", {}, "either `duration` or `until`"],
  ["two things", { duration: "1s", until: 1 }, "either `duration` or `until`"],
  ["something unknown", { duration: "1s", later: 1 }, "either `duration` or `until`"],
  ["no duration", { duration: "${{ input.soon }}" }, "`duration` is"],
  ["a text for a moment", { until: "${{ input.text }}" }, '`until` is "1700000000"'],
  ["a moment too far away", { until: "${{ input.far }}" }, "`until` is more than 3650d away"],
])("%s cannot be waited for, and the step says so", async (_name, given, message) => {
  const run = await wait(given, INPUT);
  expect([run.status, run.steps[0]?.status]).toEqual(["failed", "failed"]);
  expect(run.steps[0]?.message).toContain(message);
});
