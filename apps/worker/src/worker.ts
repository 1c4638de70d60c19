// The only place where a Temporal Worker is made.
import { getHeapStatistics } from "node:v8";
import type { Client } from "@temporalio/client";
import type {
  ActivityInterceptorsFactory,
  NativeConnection,
  Worker,
  WorkerOptions,
} from "@temporalio/worker";
import type { Database } from "@truerun/shared/db";
import { CREATE_CHILD_RUN, UNKNOWN_ACTION } from "@truerun/shared/engine/engine-actions";
import type { Logger } from "@truerun/shared/logger";
import { toDataConverter } from "@truerun/shared/payloads/data-converter";
import { toActivity } from "./component-activity.ts";
import { createChildRunActivity } from "./dispatch/create-child-run.ts";
import { toComponentsConfig } from "./components-config.ts";
import type { WorkerConfig } from "./config.ts";
import { InterpreterWorker } from "./interpreter-worker.ts";
import type { Components } from "./load-components.ts";
import { loadWorkflowBundle } from "./load-workflow-bundle.ts";
import { createExternalChecks } from "./external/check-external.ts";
import type { ExternalComponents } from "./external/load-external-components.ts";
import { createAdopter } from "./mirror/adopt-run.ts";
import { createMirrorSink } from "./mirror/mirror-sink.ts";
import { createMirrorWriter, type MirrorWriter } from "./mirror/mirror-writer.ts";
import { createUnknownAction } from "./unknown-action.ts";
import type { RunMetrics } from "./worker-metrics.ts";
import { createReplayer, type Replayer } from "./mirror/replay-history.ts";
import { createReopenedSteps, type ReopenedSteps } from "./mirror/reopened-steps.ts";
import { createStrayTerminator } from "./mirror/terminate-stray.ts";
import { WORKFLOW_BUNDLE } from "./workflow-bundle-path.ts";
import { createWorkflowTaskSlots, type WorkflowTaskSlots } from "./workflow-task-slots.ts";

export interface RunWorkerOptions {
  config: WorkerConfig;
  connection: NativeConnection;
  client: Client;
  /** For the rows of child runs, which must not be lost, and the catalogue. */
  db: Database;
  /** For the mirror alone; its transactions may commit asynchronously. */
  mirrorDb: Database;
  components: Components;
  /** Default: none. */
  externalComponents?: ExternalComponents;
  logger: Logger;
  /** Default: nobody measures. */
  metrics?: RunMetrics;
}

export interface RunWorker {
  worker: Worker;
  mirror: MirrorWriter;
  /** Replays histories with the worker's own bundle. */
  replayer: Replayer;
  /** Writes what the mirror still holds; call it after the worker has stopped. */
  close(): Promise<void>;
}

/**
 * Makes the worker and what it records with. It polls for tasks once `worker.run()` is called.
 *
 * @throws when the bundle cannot be read, or Temporal does not know the namespace
 */
export async function createRunWorker(options: RunWorkerOptions): Promise<RunWorker> {
  const { config, logger, client, mirrorDb } = options;
  const reopened = createReopenedSteps();
  const mirror: MirrorWriter = createMirrorWriter({
    db: mirrorDb,
    logger,
    async onRefused(run, refused) {
      if (run.why === "stray") await strays.terminate(run);
      else adopter.consider(run, refused);
    },
    onWritten: options.metrics?.mirrored,
    onReopened: (steps) => reopened.add(steps),
  });
  options.metrics?.watchMirror(mirror.counts);
  const strays = createStrayTerminator({ client, logger });
  const dataConverter = toDataConverter(config);
  const replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE, dataConverter });
  const adopter = createAdopter({
    db: mirrorDb,
    client,
    replayer,
    logger,
    rewrite: (record) => mirror.write(record),
  });
  const slots = createWorkflowTaskSlots(config.WORKER_MAX_WORKFLOW_TASKS);
  const worker = await InterpreterWorker.create({
    connection: options.connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    workflowBundle: await loadWorkflowBundle("payloadCodecs" in dataConverter),
    dataConverter,
    activities: createActivities(options, reopened),
    sinks: createMirrorSink({ writer: mirror, slots, reopened }),
    ...toTaskOptions(config, slots),
    // A cancellation reaches a component with the answer to a heartbeat, so these must not be held back.
    maxHeartbeatThrottleInterval: "1s",
    shutdownGraceTime: config.WORKER_SHUTDOWN_GRACE_MS,
    // Longer than a component that ignores its signal is waited for.
    shutdownForceTime: config.WORKER_SHUTDOWN_GRACE_MS + 15_000,
  });
  options.metrics?.watchCache(() => worker.getStatus().numCachedWorkflows);
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

/** An open run with 850 kB of input was seen to take 3.2 MB; one of mostly empty objects can take 22. */
const HEAP_OF_A_RUN = 8 * 1024 * 1024;
const MIN_CACHED_RUNS = 50;

/**
 * How many open runs stay in memory. The SDK's own default, some 2,300 for a heap of 4 GB, counts on small ones: with
 * 850 kB of input each, that many took 6.6 GB, and collecting garbage held up all runs for longer than Temporal waits.
 */
export function toMaxCached({ heap_size_limit: limit }: { heap_size_limit: number }): number {
  return Math.max(MIN_CACHED_RUNS, Math.floor(limit / HEAP_OF_A_RUN));
}

/** The SDK's own default. */
const MAX_LOCAL_ACTIVITIES = 100;

/** What this process takes on at once, and keeps. */
function toTaskOptions(config: WorkerConfig, slots: WorkflowTaskSlots): Partial<WorkerOptions> {
  return {
    tuner: {
      workflowTaskSlotSupplier: slots.supplier,
      activityTaskSlotSupplier: { type: "fixed-size", numSlots: config.WORKER_MAX_ACTIVITIES },
      localActivityTaskSlotSupplier: { type: "fixed-size", numSlots: MAX_LOCAL_ACTIVITIES },
      // There are no Nexus tasks.
      nexusTaskSlotSupplier: { type: "fixed-size", numSlots: 1 },
    },
    // For either kind, as many as the slots let through: a poll that the SDK itself held back would keep its slot.
    workflowTaskPollerBehavior: { type: "simple-maximum", maximum: 10 },
    nonStickyToStickyPollRatio: 0.5,
    maxCachedWorkflows: config.WORKER_MAX_CACHED_WORKFLOWS ?? toMaxCached(getHeapStatistics()),
    interceptors: { activity: [watchAttempts(slots)] },
  };
}

/** Tells the slots whose next workflow task is due. */
function watchAttempts(slots: WorkflowTaskSlots): ActivityInterceptorsFactory {
  return ({ info: { isLocal, workflowExecution } }) => ({
    inbound: {
      async execute(input, next) {
        const result = await next(input);
        // A failed one is usually followed by another attempt, and not by a workflow task.
        if (!isLocal && workflowExecution !== undefined) {
          slots.attemptSucceeded(workflowExecution.runId);
        }
        return result;
      },
    },
  });
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
    ...createExternalChecks(externalComponents, options),
    [UNKNOWN_ACTION]: createUnknownAction(options),
    [CREATE_CHILD_RUN]: createChildRunActivity(options),
  };
}
