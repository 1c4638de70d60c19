import { stepId } from "@truerun/shared/step-id";
import { expect, test } from "vitest";
import { createReopenedSteps } from "./reopened-steps.ts";

function reopened(key: string, wasOpen: boolean, runId = "cbwr_1") {
  return { run_id: runId, step_id: stepId(runId, key), was_open: wasOpen };
}

test("of a run the first step that begins again is taken, and those that were open", () => {
  const steps = createReopenedSteps();
  steps.add([reopened("first", false)]);
  steps.add([reopened("second", false), reopened("third", true)]);
  expect(["first", "second", "third"].map((key) => steps.take("cbwr_1", key))).toEqual([
    true,
    false,
    true,
  ]);
  expect(steps.take("cbwr_1", "first")).toBe(false);
  expect([steps.hasRun("cbwr_1"), steps.hasRun("cbwr_2")]).toEqual([true, false]);
});

test("a thousand are kept, the newest", () => {
  const steps = createReopenedSteps();
  for (let n = 0; n < 1_001; n++) steps.add([reopened("a", true, `cbwr_${n}`)]);
  expect([steps.hasRun("cbwr_0"), steps.hasRun("cbwr_1")]).toEqual([false, true]);
  expect([steps.take("cbwr_0", "a"), steps.take("cbwr_1000", "a")]).toEqual([false, true]);
});
