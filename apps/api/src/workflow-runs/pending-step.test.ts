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

function ofActivity(given: Partial<PendingActivity>) {
  return toStepPending(step, {
    snapshot: { ...snapshot, activities: new Map([["a", { ...activity, ...given }]]) },
    document,
    now: 101,
  });
}

test.for([
  ["one attempt was inside of a workflow task", 4, { attempt: 3, max_attempts: 5 }],
  ["none was", 5, { attempt: 2, max_attempts: 5 }],
  ["an operator has given it more", 10, { attempt: 2, max_attempts: 10 }],
  ["an operator has taken its limit away", null, { attempt: 2, max_attempts: null }],
] as const)("attempts of a local step's activity are counted on: %s", ([, maxAttempts, told]) => {
  expect(ofActivity({ maxAttempts })).toMatchObject({ reason: "running", ...told });
});

test("the first attempt outside of a workflow task waits for no retry of Temporal's", () => {
  const given = { state: "scheduled", attempt: 1, startedAt: null, scheduledAt: 102 } as const;
  expect(ofActivity(given)).toMatchObject({ reason: "queued", attempt: 2 });
});
