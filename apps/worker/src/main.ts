// The worker process: runs workflows and component activities, mirrors them, dispatches what gateways could not.
import { ConfigurationError, parseEnvironment } from "@truerun/shared/config";
import { createDatabase } from "@truerun/shared/db";
import { createDispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatch-run";
import { measureDispatches } from "@truerun/shared/dispatch/measure-dispatches";
import { createLogger, type Logger } from "@truerun/shared/logger";
import { serveMetricsIfWanted } from "@truerun/shared/metrics";
import { pause } from "@truerun/shared/pause";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { fileURLToPath } from "node:url";
import { boundCalls } from "./bound-calls.ts";
import { workerConfig } from "./config.ts";
import { connectWorker } from "./connect-worker.ts";
import { deleteExpiredKeys } from "./dispatch/delete-expired-keys.ts";
import { endUnstartedChildren } from "./dispatch/end-unstarted-children.ts";
import { redispatchRuns } from "./dispatch/redispatch-runs.ts";
import { loadExternalComponents } from "./external/load-external-components.ts";
import { ComponentsError, loadComponents } from "./load-components.ts";
import { MIRROR_APPLICATION } from "./mirror/mirror-application.ts";
import { startPeriodic } from "./periodic.ts";
import { prepareNamespace } from "./prepare-namespace.ts";
import { publishCatalogue } from "./publish-catalogue.ts";
import { installTemporalRuntime } from "./temporal-runtime.ts";
import { startRunCounting } from "./run-counts/count-runs.ts";
import { createReconcileLoops } from "./reconcile/reconcile-loops.ts";
import { startReconciler } from "./reconcile/start-reconciler.ts";
import { createRunWorker } from "./worker.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";
import { WORKFLOW_BUNDLE } from "./workflow-bundle-path.ts";

/** In the repository; the same from `src` and from `dist`. */
const EXTERNAL_COMPONENTS = fileURLToPath(new URL("../../../components/external", import.meta.url));
/** How long Postgres and Temporal may take to come up after this process. */
const START_PATIENCE_MS = 60_000;
/** How long Temporal may take for a call: a frozen one would never answer. */
const CALL_TIMEOUT_MS = 20_000;
/** How long it may take while this process starts. */
const START_CALL_MS = 5_000;
const SWEEP_INTERVAL_MS = 1_000;
const HOUSEKEEPING_INTERVAL_MS = 60_000;

async function main(stopping: AbortSignal): Promise<void> {
  const config = parseEnvironment(workerConfig);
  const logger = createLogger({ name: "truerun-worker", level: config.LOG_LEVEL });
  installTemporalRuntime(logger, config.LOG_LEVEL);
  const components = await loadComponents(fileURLToPath(new URL("components", import.meta.url)));
  const externalComponents = await loadExternalComponents({
    folder: config.EXTERNAL_COMPONENTS_DIR ?? EXTERNAL_COMPONENTS,
    optional: config.EXTERNAL_COMPONENTS_DIR === undefined,
    components,
    ownTaskQueue: config.TEMPORAL_TASK_QUEUE,
  });
  const metrics = createWorkerMetrics();
  const metricsServer = await serveMetricsIfWanted({ config, logger, ...metrics });
  const url = config.DATABASE_URL;
  const mirrorPoolSize = Math.floor(config.DATABASE_POOL_SIZE / 2);
  const db = createDatabase({
    url,
    poolSize: config.DATABASE_POOL_SIZE - mirrorPoolSize,
    applicationName: "truerun-worker",
  });
  // What the mirror loses in a crash of the database is restored from Temporal's history.
  const mirrorDb = createDatabase({
    url,
    poolSize: mirrorPoolSize,
    applicationName: MIRROR_APPLICATION,
    synchronousCommit: false,
    byIndex: true,
  });
  const temporal = createTemporalClient(config, { callTimeoutMs: CALL_TIMEOUT_MS });
  const bounded = boundCalls(temporal.connection);
  const ready = { logger, patienceMs: START_PATIENCE_MS, signal: stopping };
  await patiently("Postgres", ready, () =>
    publishCatalogue({ db, components, externalComponents, logger }),
  );
  await patiently("Temporal", ready, () =>
    bounded(stopping, () =>
      temporal.connection.withDeadline(Date.now() + START_CALL_MS, () =>
        prepareNamespace(temporal.connection, config.TEMPORAL_NAMESPACE, logger),
      ),
    ),
  );
  const connection = await patiently("Temporal", ready, () => connectWorker(config));
  const run = await createRunWorker({
    config,
    connection,
    client: temporal.client,
    db,
    mirrorDb,
    components,
    externalComponents,
    bundlePath: WORKFLOW_BUNDLE,
    logger,
    metrics,
  });

  const marks = createDispatchMarks({ db, logger });
  const dispatcher = measureDispatches(
    createDispatcher({
      client: temporal.client,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      deadlineMs: config.DISPATCH_DEADLINE_MS,
      logger,
    }),
    metrics.registry,
  );
  const loops = [
    startPeriodic({
      name: "redispatch",
      intervalMs: SWEEP_INTERVAL_MS,
      logger,
      metrics,
      pass: (signal) =>
        bounded(signal, () =>
          redispatchRuns({ db, client: temporal.client, dispatcher, marks, logger }),
        ),
    }),
    startPeriodic({
      name: "unstarted children",
      intervalMs: SWEEP_INTERVAL_MS,
      logger,
      metrics,
      pass: (signal) =>
        bounded(signal, () => endUnstartedChildren({ db, client: temporal.client, marks, logger })),
    }),
    startReconciler({
      db: mirrorDb,
      client: temporal.client,
      logger,
      metrics,
      loops: createReconcileLoops({
        db: mirrorDb,
        client: temporal.client,
        replayer: run.replayer,
        logger,
        metrics,
      }).map((loop) => ({
        ...loop,
        pass: (signal) => bounded(signal, () => loop.pass(signal)),
      })),
    }),
    startRunCounting({ db: mirrorDb, logger, metrics }),
    startPeriodic({
      name: "housekeeping",
      intervalMs: HOUSEKEEPING_INTERVAL_MS,
      logger,
      metrics,
      pass: () => deleteExpiredKeys(db),
    }),
  ];

  const ended = run.worker.run();
  const shutDown = (): void => run.worker.shutdown();
  if (stopping.aborted) shutDown();
  else stopping.addEventListener("abort", shutDown);
  logger.info(
    {
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      actions: [...components.keys()],
      externalActions: [...externalComponents.keys()],
    },
    "worker ready",
  );
  process.send?.({ type: "ready" });
  try {
    await ended;
  } finally {
    await Promise.all(loops.map((loop) => loop.stop()));
    await marks.close();
    await run.close();
    await connection.close();
    await temporal.close();
    await Promise.all([db.$disconnect(), mirrorDb.$disconnect(), metricsServer?.close()]);
  }
  logger.info("worker stopped");
}

/** A service that the worker needs was not there in time. */
class StartError extends Error {
  constructor(what: string, patienceMs: number, cause: unknown) {
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    super(`${what} could not be used within ${patienceMs / 1_000} s: ${String(reason)}`, { cause });
  }
}

/**
 * Tries until it works or patience runs out: services may be started in any order.
 *
 * @throws StartError when patience runs out; the signal's reason when the process has to end before
 */
async function patiently<T>(
  what: string,
  { logger, patienceMs, signal }: { logger: Logger; patienceMs: number; signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > end) throw new StartError(what, patienceMs, error);
      logger.warn({ err: error }, `${what} does not answer yet`);
      await pause(1_000, signal);
      signal.throwIfAborted();
    }
  }
}

/**
 * SIGTERM and SIGINT drain; so does the end of a parent that started this process with an IPC channel. From
 * the very start: in a container, a process that does not listen for a signal does not get it.
 */
function listenForStop(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
  return stopping.signal;
}

/** An error that is written for its reader needs no stack; any other is a bug of ours. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const readable = [ConfigurationError, ComponentsError, StartError];
  return readable.some((type) => error instanceof type)
    ? error.message
    : (error.stack ?? error.message);
}

const stopping = listenForStop();
try {
  await main(stopping);
  process.exit(0);
} catch (error) {
  // Asked to end before it was ready: there is nothing to finish.
  if (stopping.aborted && error === stopping.reason) process.exit(0);
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
