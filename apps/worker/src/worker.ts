// The only place where a Temporal Worker is made.
import { Context } from "@temporalio/activity";
import type { Client } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import type { NativeConnection, Worker } from "@temporalio/worker";
import type { Database } from "@truerun/shared/db";
import { CREATE_CHILD_RUN } from "@truerun/shared/engine/engine-actions";
import type { Logger } from "@truerun/shared/logger";
import { toDataConverter } from "@truerun/shared/payloads/data-converter";
import { toActivity } from "./component-activity.ts";
import { createChildRunActivity } from "./dispatch/create-child-run.ts";
import { toComponentsConfig } from "./components-config.ts";
import type { WorkerConfig } from "./config.ts";
import { InterpreterWorker } from "./interpreter-worker.ts";
import { type Components, UNKNOWN_ACTION } from "./load-components.ts";
import { loadWorkflowBundle } from "./load-workflow-bundle.ts";
import { createExternalChecks } from "./external/check-external.ts";
import type { ExternalComponents } from "./external/load-external-components.ts";
import { createAdopter } from "./mirror/adopt-run.ts";
import { createMirrorSink } from "./mirror/mirror-sink.ts";
import { createMirrorWriter, type MirrorWriter } from "./mirror/mirror-writer.ts";
import type { MirrorMetrics } from "./worker-metrics.ts";
import { createReplayer, type Replayer } from "./mirror/replay-history.ts";
import { createReopenedSteps, type ReopenedSteps } from "./mirror/reopened-steps.ts";
import { createStrayTerminator } from "./mirror/terminate-stray.ts";

export interface RunWorkerOptions {
  config: WorkerConfig;
  connection: NativeConnection;
  client: Client;
  /** For the rows of child runs, which must not be lost. */
  db: Database;
  /** For the mirror alone; its transactions may commit asynchronously. */
  mirrorDb: Database;
  components: Components;
  /** Default: none. */
  externalComponents?: ExternalComponents;
  /** Path of the prebuilt workflow bundle. */
  bundlePath: string;
  logger: Logger;
  /** Default: nobody measures the mirror. */
  metrics?: MirrorMetrics;
}

export interface RunWorker {
  worker: Worker;
  mirror: MirrorWriter;
  /** Replays histories with the worker's own bundle. */
  replayer: Replayer;
  /** Writes what the mirror still holds; call it after the worker has stopped. */
  close(): Promise<void>;
}

export async function createRunWorker(options: RunWorkerOptions): Promise<RunWorker> {
  const { config, logger, client, bundlePath, mirrorDb } = options;
  const reopened = createReopenedSteps();
  const mirror: MirrorWriter = createMirrorWriter({
    db: mirrorDb,
    logger,
    async onRefused(run, refused) {
      if (run.why === "stray") await strays.terminate(run);
      else adopter.consider(run, refused);
    },
    onWritten: options.metrics?.mirrored,
    onReopened: (stepIds) => reopened.add(stepIds),
  });
  options.metrics?.watchMirror(mirror.counts);
  const strays = createStrayTerminator({ client, logger });
  const dataConverter = toDataConverter(config);
  const replayer = createReplayer({ bundlePath, dataConverter });
  const adopter = createAdopter({
    db: mirrorDb,
    client,
    replayer,
    logger,
    rewrite: (record) => mirror.write(record),
  });
  const worker = await InterpreterWorker.create({
    connection: options.connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    workflowBundle: await loadWorkflowBundle(bundlePath, "payloadCodecs" in dataConverter),
    dataConverter,
    activities: createActivities(options, reopened),
    sinks: createMirrorSink(mirror),
    maxConcurrentActivityTaskExecutions: config.WORKER_MAX_ACTIVITIES,
    ...toWorkflowTaskLimits(config.WORKER_MAX_WORKFLOW_TASKS),
    // A cancellation reaches a component with the answer to a heartbeat, so these must not be saved up.
    maxHeartbeatThrottleInterval: "1s",
    shutdownGraceTime: config.WORKER_SHUTDOWN_GRACE_MS,
    // Above what a component that does not answer its signal is waited for.
    shutdownForceTime: config.WORKER_SHUTDOWN_GRACE_MS + 15_000,
  });
  return {
    worker,
    mirror,
    replayer,
    async close() {
      await adopter.close();
      await mirror.close();
      await replayer.close();
    },
  };
}

/** The SDK's own limit of polls at a time. */
const MOST_POLLS = 10;

/**
 * What is more than this process gets done had better wait in Temporal, where each org has its turn: with the SDK's
 * 40 tasks a run behind another org's flood took 9 to 15 times its idle time, with 16 it took 13, with 8 5 times, at
 * no less runs a second.
 *
 * A poll holds one of the places while it waits. With as many polls as places, of which the SDK has one in five ask
 * for runs that no worker has in its cache, two runs were begun at a time: those whose steps are all local, which
 * are one task each, waited. Half of the places, half of them for either kind, are as fast for regular steps, and
 * let 40 such runs a second through instead of 20.
 */
function toWorkflowTaskLimits(tasks: number) {
  return {
    maxConcurrentWorkflowTaskExecutions: tasks,
    maxConcurrentWorkflowTaskPolls: Math.min(MOST_POLLS, Math.max(2, Math.floor(tasks / 2))),
    nonStickyToStickyPollRatio: 0.5,
  };
}

function createActivities(options: RunWorkerOptions, reopened: ReopenedSteps) {
  const { components, externalComponents = new Map(), config, logger } = options;
  const dependencies = { logger, config: toComponentsConfig(config), reopened };
  const activities = [...components].map(([action, component]) => [
    action,
    toActivity(component, dependencies),
  ]);
  return {
    ...Object.fromEntries(activities),
    ...createExternalChecks(externalComponents),
    [UNKNOWN_ACTION]: failUnknown,
    [CREATE_CHILD_RUN]: createChildRunActivity(options),
  };
}

/**
 * Stands for every action that this worker does not have, in the words of the SDK. Without it a step inside of
 * a workflow task would fail the task, and be tried for ever.
 */
async function failUnknown(): Promise<never> {
  const { activityType } = Context.current().info;
  throw ApplicationFailure.nonRetryable(
    `Activity function ${activityType} is not registered on this Worker`,
    "NotFoundError",
  );
}
