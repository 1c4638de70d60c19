import { stepId } from "@truerun/shared/step-id";
import { expect, test } from "vitest";
import { createReopenedSteps } from "./reopened-steps.ts";

interface Given {
  runId?: string;
  wasOpen?: boolean;
  keptMs?: number;
  beginsMs?: number;
}

function reopened(key: string, { runId = "cbwr_1", ...given }: Given = {}) {
  const { wasOpen = false, keptMs = 1_000, beginsMs = 11_000 } = given;
  const ids = { run_id: runId, step_id: stepId(runId, key) };
  return { ...ids, was_open: wasOpen, kept_ms: keptMs, begins_ms: beginsMs };
}

test("of a lost task the first step is taken, and those that were open", () => {
  const steps = createReopenedSteps();
  steps.add([reopened("first")]);
  expect(steps.take("cbwr_1", "first")).toBe(true);
  const later = { keptMs: 1_100, beginsMs: 11_500 };
  steps.add([reopened("second", later), reopened("third", { ...later, wasOpen: true })]);
  expect(steps.take("cbwr_1", "second")).toBe(false);
  expect(steps.take("cbwr_1", "third")).toBe(true);
  expect(steps.take("cbwr_1", "first")).toBe(false);
  expect([steps.hasRun("cbwr_1"), steps.hasRun("cbwr_2")]).toEqual([true, false]);
});

test("a step that finished in two lost tasks is taken out if it was first in the second", () => {
  const steps = createReopenedSteps();
  steps.add([reopened("first")]);
  steps.take("cbwr_1", "first");
  steps.add([reopened("second", { keptMs: 1_100, beginsMs: 11_500 })]);
  expect(steps.take("cbwr_1", "second")).toBe(false);
  steps.add([reopened("second", { keptMs: 16_500, beginsMs: 21_500 })]);
  expect(steps.take("cbwr_1", "second")).toBe(true);
});

test("a step that is never asked for does not count for another one", () => {
  const steps = createReopenedSteps();
  steps.add([reopened("an activity"), reopened("a local one")]);
  expect(steps.take("cbwr_1", "a local one")).toBe(true);
});

test("a thousand are kept, the newest", () => {
  const steps = createReopenedSteps();
  for (let n = 0; n < 1_001; n++) steps.add([reopened("a", { runId: `cbwr_${n}` })]);
  expect([steps.hasRun("cbwr_0"), steps.hasRun("cbwr_1")]).toEqual([false, true]);
  expect([steps.take("cbwr_0", "a"), steps.take("cbwr_1000", "a")]).toEqual([false, true]);
});
