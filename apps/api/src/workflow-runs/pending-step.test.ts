import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { expect, test } from "vitest";
import type { FoundRun, PendingActivity } from "./pending-snapshot.ts";
import { toStepPending } from "./pending-step.ts";

const snapshot: FoundRun = {
  kind: "found",
  isClosed: false,
  isPaused: false,
  isCanceling: false,
  taskQueue: "q",
  workflowTask: null,
  activities: new Map(),
  isComplete: true,
  workflowsPolledAt: null,
  activitiesPolledAt: new Map(),
};
const task = { attempt: 1, since: 100, dueAt: 100, lastFailure: null };
const step = {
  step_key: "a",
  component_id: "cbwc_a",
  action_type: "transform",
  status: null,
  created_at: 99,
};
const document = {
  description: "",
  timeout: "1h",
  components: [
    { id: "cbwc_a", execution: "local", retry: { max_attempts: 5 } } as ComponentDefinition,
  ],
};

test.for([
  [{ ...task, isStarted: true }, "running"],
  [{ ...task, isStarted: false }, "queued"],
  [null, "recording"],
] as const)(
  "a step inside of a workflow task is told by the task: %j",
  ([workflowTask, reason]) => {
    const pending = toStepPending(step, {
      snapshot: { ...snapshot, workflowTask },
      document,
      now: 101,
    });
    expect(pending).toMatchObject({ reason, attempt: null });
  },
);

test("of a local step, attempts inside of a workflow task are counted before those that are left", () => {
  const activity: PendingActivity = {
    state: "started",
    attempt: 2,
    maxAttempts: 4,
    scheduledAt: 100,
    startedAt: 100,
    attemptEndedAt: null,
    nextAttemptAt: null,
    pausedAt: null,
    lastFailure: null,
    taskQueue: "q",
  };
  const pending = toStepPending(step, {
    snapshot: { ...snapshot, activities: new Map([["a", activity]]) },
    document,
    now: 101,
  });
  expect(pending).toMatchObject({ reason: "running", attempt: 3, max_attempts: 5 });
});
