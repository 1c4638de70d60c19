import type { Client } from "@temporalio/client";

type Service = Client["workflowService"];
type Commands = NonNullable<Parameters<Service["respondWorkflowTaskCompleted"]>[0]["commands"]>;
type WorkflowTask = Awaited<ReturnType<Service["pollWorkflowTaskQueue"]>>;
type ActivityTask = Awaited<ReturnType<Service["pollActivityTaskQueue"]>>;

/** A worker that does exactly one thing at a time, when the test says so, over Temporal's own API. */
export interface HandWorker {
  /** Takes the next workflow task. */
  takeWorkflowTask(): Promise<WorkflowTask>;
  /** Takes the next workflow task and answers it with these commands. */
  decide(commands: Commands): Promise<void>;
  /** Takes the next workflow task and fails it. */
  failWorkflowTask(message: string): Promise<void>;
  /** Takes the next activity task, which is then under way. */
  takeActivity(): Promise<ActivityTask>;
  failActivity(task: ActivityTask, message: string): Promise<void>;
}

export function createHandWorker(client: Client, taskQueue: string): HandWorker {
  const service = client.workflowService;
  const common = { namespace: client.options.namespace, identity: "hand" };
  const poll = { ...common, taskQueue: { name: taskQueue } };
  /** Temporal accepts a long poll only with a deadline. */
  const soon = <T>(call: () => Promise<T>) =>
    client.connection.withDeadline(Date.now() + 15_000, call);
  const takeWorkflowTask = () => soon(() => service.pollWorkflowTaskQueue(poll));
  return {
    takeWorkflowTask,
    async decide(commands) {
      const { taskToken } = await takeWorkflowTask();
      await service.respondWorkflowTaskCompleted({ ...common, taskToken, commands });
    },
    async failWorkflowTask(message) {
      const { taskToken } = await takeWorkflowTask();
      await service.respondWorkflowTaskFailed({ ...common, taskToken, failure: { message } });
    },
    takeActivity: () => soon(() => service.pollActivityTaskQueue(poll)),
    async failActivity({ taskToken }, message) {
      const failure = { message, applicationFailureInfo: { type: "Error" } };
      await service.respondActivityTaskFailed({ ...common, taskToken, failure });
    },
  };
}

interface ActivityOptions {
  taskQueue: string;
  maximumAttempts?: number;
  initialSeconds?: number;
}

/** A command that schedules an activity under a step's key. */
export function scheduleActivity(activityId: string, options: ActivityOptions): Commands[number] {
  const { taskQueue, maximumAttempts = 5, initialSeconds = 60 } = options;
  return {
    commandType: 1,
    scheduleActivityTaskCommandAttributes: {
      activityId,
      activityType: { name: "send_questionnaire" },
      taskQueue: { name: taskQueue },
      startToCloseTimeout: { seconds: toLong(30) },
      retryPolicy: { maximumAttempts, initialInterval: { seconds: toLong(initialSeconds) } },
    },
  };
}

/** A command that starts a child workflow, such as a batch of items. */
export function startChild(workflowId: string, taskQueue: string): Commands[number] {
  return {
    commandType: 11,
    startChildWorkflowExecutionCommandAttributes: {
      workflowId,
      workflowType: { name: "batch" },
      taskQueue: { name: taskQueue },
    },
  };
}

/** A command that ends the run. */
export const completeRun: Commands[number] = {
  commandType: 4,
  completeWorkflowExecutionCommandAttributes: {},
};

type Long = NonNullable<
  NonNullable<
    NonNullable<Commands[number]["scheduleActivityTaskCommandAttributes"]>["startToCloseTimeout"]
  >["seconds"]
>;

/** The generated types allow only their own 64-bit numbers, but plain ones work as well. */
function toLong(seconds: number): Long {
  return seconds as unknown as Long;
}
