// What Temporal currently says about a run that has not ended.
import type { Client, WorkflowExecutionDescription } from "@temporalio/client";
import { describeExecution, isClosed } from "@truerun/shared/describe-execution";
import { isBatchOf } from "@truerun/shared/batch-id";
import { failureMessage } from "@truerun/shared/failure-message";
import { STUCK_FROM_ATTEMPT } from "@truerun/shared/stuck-run";
import {
  EventType,
  PendingActivityState,
  PendingWorkflowTaskState,
  TaskQueueType,
  toUnixMs,
} from "@truerun/shared/temporal-values";

/** An activity that has no outcome yet. Times are unix seconds, with fractions. */
export interface PendingActivity {
  state: "scheduled" | "started" | "canceling" | "paused";
  attempt: number;
  /** null: no limit */
  maxAttempts: number | null;
  scheduledAt: number | null;
  /** Start and end of the latest attempt. */
  startedAt: number | null;
  attemptEndedAt: number | null;
  nextAttemptAt: number | null;
  pausedAt: number | null;
  lastFailure: string | null;
  taskQueue: string;
}

export interface PendingWorkflowTask {
  /** Whether a worker is executing it. */
  isStarted: boolean;
  attempt: number;
  /** When its first attempt was scheduled. */
  since: number | null;
  /** When this attempt was or is due. */
  dueAt: number | null;
  lastFailure: string | null;
}

export interface FoundRun {
  kind: "found";
  isClosed: boolean;
  isPaused: boolean;
  isCanceling: boolean;
  taskQueue: string;
  /** The waiting or running workflow task with the most attempts, of the run and its batches. */
  workflowTask: PendingWorkflowTask | null;
  /** By activity id, which is the step's key. */
  activities: ReadonlyMap<string, PendingActivity>;
  /** False: the run has more batches than Temporal was asked about. */
  isComplete: boolean;
  /** When a worker last polled for workflow tasks, in unix seconds; null when none has lately. */
  workflowsPolledAt: number | null;
  /** The same for activity tasks, by task queue in which some wait. */
  activitiesPolledAt: ReadonlyMap<string, number | null>;
}

/** `unknown`: Temporal has no such run. `silent`: it did not answer. */
export type RunSnapshot = FoundRun | { kind: "unknown" | "silent" };

/** Maximum batches looked at; a run may have more at a time. */
const MAX_BATCHES = 10;
/** Maximum task queues whose pollers are looked up. */
const MAX_QUEUES = 10;
/** How many of a history's last events are searched for a workflow task's failure. */
const LAST_EVENTS = 10;

const WORKFLOW_QUEUE = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
const ACTIVITY_QUEUE = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
const WORKFLOW_TASK_STARTED = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED;
const WORKFLOW_TASK_TIMED_OUT = EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
const WORKFLOW_TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED;

/** @throws whatever Temporal's client throws; use it within a deadline */
export async function takeSnapshot(client: Client, workflowRunId: string): Promise<RunSnapshot> {
  const run = await describeExecution(client, workflowRunId);
  if (run === null) return { kind: "unknown" };
  const children = (run.raw.pendingChildren ?? []).filter(({ workflowId }) =>
    isBatchOf(workflowRunId, workflowId ?? ""),
  );
  const [workflowsPolledAt, ...batches] = await Promise.all([
    findLastPoll(client, run.taskQueue, WORKFLOW_QUEUE),
    ...children
      .slice(0, MAX_BATCHES)
      .map(({ workflowId }) => describeExecution(client, workflowId ?? "")),
  ]);
  const executions = [run, ...batches.filter((batch) => batch !== null)];
  const [activities, workflowTask] = await Promise.all([
    toActivities(client, executions),
    toWorkflowTask(client, executions),
  ]);
  return {
    kind: "found",
    isClosed: isClosed(run),
    isPaused: run.status.name === "PAUSED",
    isCanceling: run.raw.workflowExtendedInfo?.cancelRequested === true,
    taskQueue: run.taskQueue,
    workflowTask,
    activities,
    isComplete: children.length <= MAX_BATCHES,
    workflowsPolledAt,
    activitiesPolledAt: await findActivityPolls(client, [...activities.values()]),
  };
}

async function findLastPoll(client: Client, name: string, kind: number): Promise<number | null> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: kind,
  });
  const polls = pollers.map(({ lastAccessTime }) => toSeconds(lastAccessTime) ?? 0);
  return polls.length === 0 ? null : Math.max(...polls);
}

/** Only for queues in which something waits: a running attempt has its worker. */
async function findActivityPolls(
  client: Client,
  activities: readonly PendingActivity[],
): Promise<Map<string, number | null>> {
  const waiting = activities.filter(({ state }) => state === "scheduled");
  const queues = [...new Set(waiting.map(({ taskQueue }) => taskQueue))].slice(0, MAX_QUEUES);
  const polls = queues.map(async (queue): Promise<[string, number | null]> => {
    return [queue, await findLastPoll(client, queue, ACTIVITY_QUEUE)];
  });
  return new Map(await Promise.all(polls));
}

type Raw = WorkflowExecutionDescription["raw"];
type RawActivity = NonNullable<Raw["pendingActivities"]>[number];

async function toActivities(
  client: Client,
  executions: readonly WorkflowExecutionDescription[],
): Promise<Map<string, PendingActivity>> {
  const entries = executions.flatMap(({ raw, taskQueue }) =>
    (raw.pendingActivities ?? []).map(async (activity): Promise<[string, PendingActivity]> => {
      return [activity.activityId ?? "", await toActivity(client, activity, taskQueue)];
    }),
  );
  return new Map(await Promise.all(entries));
}

async function toActivity(
  client: Client,
  activity: RawActivity,
  defaultTaskQueue: string,
): Promise<PendingActivity> {
  const { maximumAttempts } = activity;
  return {
    state: STATES.get(Number(activity.state)) ?? "scheduled",
    attempt: activity.attempt ?? 1,
    maxAttempts: maximumAttempts === 0 ? null : (maximumAttempts ?? null),
    scheduledAt: toSeconds(activity.scheduledTime),
    startedAt: toSeconds(activity.lastStartedTime),
    attemptEndedAt: toSeconds(activity.lastAttemptCompleteTime),
    nextAttemptAt: toSeconds(activity.nextAttemptScheduleTime),
    pausedAt: toSeconds(activity.pauseInfo?.pauseTime),
    lastFailure: await failureMessage(client, activity.lastFailure),
    taskQueue: activity.activityOptions?.taskQueue?.name ?? defaultTaskQueue,
  };
}

const STATES = new Map<number, PendingActivity["state"]>([
  [PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED, "scheduled"],
  [PendingActivityState.PENDING_ACTIVITY_STATE_STARTED, "started"],
  [PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED, "canceling"],
  [PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED, "paused"],
  [PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED, "paused"],
  // To be reset: runs, and starts over with its next attempt. The SDK's enum does not have it.
  [6, "started"],
]);

async function toWorkflowTask(
  client: Client,
  executions: readonly WorkflowExecutionDescription[],
): Promise<PendingWorkflowTask | null> {
  const tasks = executions
    .map(({ workflowId, raw }) => ({ workflowId, task: raw.pendingWorkflowTask }))
    .toSorted((a, b) => (b.task?.attempt ?? 0) - (a.task?.attempt ?? 0));
  const { workflowId = "", task = null } = tasks[0] ?? {};
  if (task === null) return null;
  const attempt = task.attempt ?? 1;
  return {
    isStarted: Number(task.state) === WORKFLOW_TASK_STARTED,
    attempt,
    since: toSeconds(task.originalScheduledTime),
    dueAt: toSeconds(task.scheduledTime),
    lastFailure:
      attempt < STUCK_FROM_ATTEMPT ? null : await findWorkflowTaskFailure(client, workflowId),
  };
}

/** Of several failures in a row, the history holds only the first. */
async function findWorkflowTaskFailure(client: Client, workflowId: string): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: LAST_EVENTS,
  });
  for (const { eventType, workflowTaskFailedEventAttributes: failed } of history?.events ?? []) {
    if (Number(eventType) === WORKFLOW_TASK_FAILED) return failureMessage(client, failed?.failure);
    if (Number(eventType) === WORKFLOW_TASK_TIMED_OUT) return "The worker did not answer in time.";
  }
  return null;
}

/** Temporal writes "no time" as a missing value, or as one at or before the epoch. */
function toSeconds(time: Parameters<typeof toUnixMs>[0]): number | null {
  const ms = toUnixMs(time) ?? 0;
  return ms > 0 ? ms / 1_000 : null;
}
