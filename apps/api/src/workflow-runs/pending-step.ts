import type {
  ComponentDefinition,
  WorkflowDefinitionDocument,
} from "@truerun/shared/contracts/definition";
import { durationMs, isDuration } from "@truerun/shared/contracts/duration";
import { type EngineAction, isEngineAction } from "@truerun/shared/engine/engine-actions";
import { z } from "zod";
import { timeSchema } from "../http/parameters.ts";
import type { FoundRun, PendingActivity, RunSnapshot } from "./pending-snapshot.ts";
import { isPolled } from "./pending-workers.ts";
import type { ReadStep } from "./run-view.ts";

/** Why a step has no result yet. */
const REASONS = [
  "running",
  "queued",
  "retrying",
  "no_worker",
  "paused",
  "canceling",
  "timer",
  "review",
  "child_run",
  "recording",
  "unknown",
] as const;

const reasonSchema = z.enum(REASONS).meta({
  description: [
    "`running`: an attempt is under way",
    "`queued`: waits for a free worker",
    "`retrying`: the last attempt failed, the next is due at `next_attempt_at`",
    "`no_worker`: is due, and no worker takes work from its task queue: all are down or busy",
    "`paused`: an operator has paused it in Temporal",
    "`canceling`: the component was asked to stop",
    "`timer`, `review`, `child_run`: the engine waits for a time, for a person, for another run",
    "`recording`: it is about to begin, or has an outcome that is not recorded yet; if that lasts, the run's own `pending` says why",
    "`unknown`: Temporal did not say",
  ].join("; "),
});

/** Only with include=pending: why a step has no result yet, as Temporal currently sees it. */
export const stepPendingSchema = z
  .strictObject({
    reason: reasonSchema,
    message: z.string().meta({ description: "The same for people, in one sentence" }),
    since: timeSchema("Since when it is so").nullable(),
    until: timeSchema(
      "When a timer, or a review's time, is over; null unless the definition itself tells",
    ).nullable(),
    attempt: z.int().nullable().meta({ description: "The attempt that runs or is the next" }),
    max_attempts: z.int().nullable().meta({ description: "null also when there is no limit" }),
    next_attempt_at: timeSchema("When the next attempt is due").nullable(),
    last_failure: z.string().nullable().meta({ description: "Why the last attempt failed" }),
  })
  .meta({ id: "PendingStep" });

export type StepPending = z.output<typeof stepPendingSchema>;

/** The columns of a step's row that say why it is pending. */
export type PendingStepRow = Pick<
  ReadStep,
  "step_key" | "component_id" | "action_type" | "status" | "created_at"
>;

export interface PendingContext {
  snapshot: RunSnapshot;
  /** Of the run's definition version. */
  document: WorkflowDefinitionDocument;
  /** Unix seconds. */
  now: number;
}

/** null for a step that has its result. */
export function toStepPending(step: PendingStepRow, context: PendingContext): StepPending | null {
  if (step.status !== null) return null;
  const waiting = isEngineAction(step.action_type) ? WAITING[step.action_type] : null;
  const { snapshot, now } = context;
  if (waiting !== null) {
    return say(waiting.reason, waiting.message, {
      since: step.created_at,
      until: findEnd(step, context.document),
    });
  }
  if (snapshot.kind !== "found") return say("unknown", "Temporal did not say.");
  const activity = snapshot.activities.get(step.step_key);
  if (activity !== undefined) {
    const counted = countOn(activity, findComponent(step, context.document));
    return toActivityPending({ ...activity, counted }, snapshot, now);
  }
  if (!snapshot.isComplete) {
    return say("unknown", "The run has more batches at a time than are looked at.");
  }
  if (isLocal(step, context.document)) return toLocalPending(step, snapshot);
  return say("recording", "It is about to begin, or its outcome is on its way into the tables.");
}

function isLocal(step: PendingStepRow, document: WorkflowDefinitionDocument): boolean {
  return findComponent(step, document)?.execution === "local";
}

function findComponent(
  { component_id: id }: PendingStepRow,
  { components }: WorkflowDefinitionDocument,
): ComponentDefinition | undefined {
  return components.find((component) => component.id === id);
}

/** Which attempt it is, of how many, counted over all of the step's attempts. */
type Counted = Pick<PendingActivity, "attempt" | "maxAttempts">;

/**
 * Of a step whose first attempt was inside a workflow task, Temporal's activity has only the attempts that were
 * left. If an operator has given it more than the definition, or no limit, nothing can be told from that.
 */
function countOn(
  { attempt, maxAttempts: left }: Counted,
  component: ComponentDefinition | undefined,
): Counted {
  const maxAttempts = component?.retry.max_attempts ?? 0;
  if (component?.execution !== "local" || left === null || left > maxAttempts) {
    return { attempt, maxAttempts: left };
  }
  return { attempt: attempt + maxAttempts - left, maxAttempts };
}

/** Temporal does not list what runs inside a workflow task, only that there is such a task. */
function toLocalPending(step: PendingStepRow, { workflowTask }: FoundRun): StepPending {
  if (workflowTask === null) {
    const message = "It waits for another attempt, or its outcome is on its way into the tables.";
    return say("recording", message);
  }
  const since = step.created_at;
  return workflowTask.isStarted
    ? say("running", "It runs inside of the run's workflow task.", { since })
    : say("queued", "It runs again once a worker takes the run's workflow task.", { since });
}

/** What the engine's own actions wait for, if they do; Temporal lists no activity for them. */
const WAITING: Readonly<
  Record<EngineAction, { reason: StepPending["reason"]; message: string } | null>
> = {
  fail: null,
  run_workflow: {
    reason: "child_run",
    message: "Another run, named in the artifacts, has not ended.",
  },
  wait: { reason: "timer", message: "The engine waits for a time." },
  wait_for_review: { reason: "review", message: "Somebody has to answer the review." },
};

function say(
  reason: StepPending["reason"],
  message: string,
  facts: Partial<Omit<StepPending, "reason" | "message">> = {},
): StepPending {
  return {
    reason,
    message,
    since: null,
    until: null,
    attempt: null,
    max_attempts: null,
    next_attempt_at: null,
    last_failure: null,
    ...facts,
  };
}

/** When a `duration`, an `until` or a review's `timeout` is over; null when it is a reference. */
function findEnd(step: PendingStepRow, document: WorkflowDefinitionDocument): number | null {
  const { until, duration, timeout } = findComponent(step, document)?.with ?? {};
  if (typeof until === "number") return until;
  const length = duration ?? timeout;
  if (typeof length !== "string" || !isDuration(length)) return null;
  return Math.floor(step.created_at + durationMs(length) / 1_000);
}

type CountedActivity = PendingActivity & { counted: Counted };

function toActivityPending(activity: CountedActivity, run: FoundRun, now: number): StepPending {
  const { reason, message, since } = judge(activity, run, now);
  const { counted, nextAttemptAt, lastFailure } = activity;
  return say(reason, message, {
    since: since === null ? null : Math.floor(since),
    attempt: counted.attempt,
    max_attempts: counted.maxAttempts,
    next_attempt_at:
      reason === "retrying" && nextAttemptAt !== null ? Math.floor(nextAttemptAt) : null,
    last_failure: lastFailure,
  });
}

function judge(
  activity: CountedActivity,
  run: FoundRun,
  now: number,
): { reason: StepPending["reason"]; message: string; since: number | null } {
  const { attempt, counted, startedAt, attemptEndedAt, scheduledAt, taskQueue } = activity;
  const { maxAttempts } = counted;
  const which = `Attempt ${counted.attempt}${maxAttempts === null ? "" : ` of ${maxAttempts}`}`;
  switch (activity.state) {
    case "started":
      return { reason: "running", message: `${which} is running.`, since: startedAt };
    case "canceling": {
      const message = `${which} was asked to stop and has not answered.`;
      return { reason: "canceling", message, since: startedAt };
    }
    case "paused": {
      const message = "Paused in Temporal; it goes on when somebody unpauses it there.";
      return { reason: "paused", message, since: activity.pausedAt };
    }
    case "scheduled": {
      const dueAt = activity.nextAttemptAt ?? scheduledAt;
      if (attempt > 1 && dueAt !== null && dueAt > now) {
        const message = `${which} waits for its time after a failure.`;
        return { reason: "retrying", message, since: attemptEndedAt };
      }
      const polledAt = run.activitiesPolledAt.get(taskQueue);
      if (polledAt === undefined || isPolled({ polledAt, dueAt, now })) {
        const message = `${which} waits for a free worker of task queue '${taskQueue}'.`;
        return { reason: "queued", message, since: dueAt };
      }
      const message = `${which} is due, and no worker takes work from task queue '${taskQueue}'.`;
      return { reason: "no_worker", message, since: dueAt };
    }
  }
}
