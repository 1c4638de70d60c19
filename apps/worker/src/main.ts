// The worker process: runs workflows and component activities, mirrors them, dispatches what gateways could not.
import type { NativeConnection } from "@temporalio/worker";
import { ConfigurationError, parseEnvironment } from "@truerun/shared/config";
import { createLogger, type Logger } from "@truerun/shared/logger";
import { serveMetricsIfWanted } from "@truerun/shared/metrics";
import { fileURLToPath } from "node:url";
import { type WorkerConfig, workerConfig } from "./config.ts";
import { connectWorker } from "./connect-worker.ts";
import {
  type ExternalComponents,
  loadExternalComponents,
} from "./external/load-external-components.ts";
import { type Components, ComponentsError, loadComponents } from "./load-components.ts";
import { openStores, type Stores } from "./open-stores.ts";
import { patiently, StartError } from "./patiently.ts";
import { prepareNamespace } from "./prepare-namespace.ts";
import { publishCatalogue } from "./publish-catalogue.ts";
import { startLoops } from "./start-loops.ts";
import { installTemporalRuntime } from "./temporal-runtime.ts";
import { createRunWorker } from "./worker.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";

/** In the repository; the same from `src` and from `dist`. */
const EXTERNAL_COMPONENTS = fileURLToPath(new URL("../../../components/external", import.meta.url));
/** How long Postgres and Temporal may take to come up after this process. */
const START_PATIENCE_MS = 60_000;
/** How long Temporal may take for a call while this process starts. */
const START_CALL_MS = 5_000;

/** What this worker can run, by action. */
interface Catalogue {
  components: Components;
  externalComponents: ExternalComponents;
}

async function main(stopping: AbortSignal): Promise<void> {
  const config = parseEnvironment(workerConfig);
  const logger = createLogger({ name: "truerun-worker", level: config.LOG_LEVEL });
  installTemporalRuntime(logger, config.LOG_LEVEL);
  const catalogue = await loadAllComponents(config);
  const metrics = createWorkerMetrics();
  const metricsServer = await serveMetricsIfWanted({ config, logger, ...metrics });
  const stores = openStores(config);
  const services = { config, logger, metrics, ...stores, ...catalogue };
  const connection = await prepareServices(services, stopping);
  const run = await createRunWorker({ ...services, connection });
  const loops = startLoops({ ...services, replayer: run.replayer });

  const ended = run.worker.run();
  const shutDown = (): void => run.worker.shutdown();
  if (stopping.aborted) shutDown();
  else stopping.addEventListener("abort", shutDown);
  logger.info(
    {
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      actions: [...catalogue.components.keys()],
      externalActions: [...catalogue.externalComponents.keys()],
    },
    "worker ready",
  );
  process.send?.({ type: "ready" });
  try {
    await ended;
  } finally {
    await loops.stop();
    await run.close();
    await connection.close();
    await stores.close();
    await metricsServer?.close();
  }
  logger.info("worker stopped");
}

/** @throws ComponentsError naming the file that cannot be used */
async function loadAllComponents(config: WorkerConfig): Promise<Catalogue> {
  const components = await loadComponents(fileURLToPath(new URL("components", import.meta.url)));
  const externalComponents = await loadExternalComponents({
    folder: config.EXTERNAL_COMPONENTS_DIR ?? EXTERNAL_COMPONENTS,
    optional: config.EXTERNAL_COMPONENTS_DIR === undefined,
    components,
    ownTaskQueue: config.TEMPORAL_TASK_QUEUE,
  });
  return { components, externalComponents };
}

/**
 * Waits for Postgres and Temporal, and gives them what this worker's runs need.
 *
 * @returns the worker's own connection to Temporal
 * @throws StartError; the signal's reason when the process has to end before
 */
async function prepareServices(
  services: Stores & Catalogue & { config: WorkerConfig; logger: Logger },
  stopping: AbortSignal,
): Promise<NativeConnection> {
  const { config, logger, clientConnection, bounded } = services;
  const ready = { logger, patienceMs: START_PATIENCE_MS, signal: stopping };
  await patiently("Postgres", ready, () => publishCatalogue(services));
  await patiently("Temporal", ready, () =>
    bounded(stopping, () =>
      clientConnection.withDeadline(Date.now() + START_CALL_MS, () =>
        prepareNamespace(clientConnection, config.TEMPORAL_NAMESPACE, logger),
      ),
    ),
  );
  return await patiently("Temporal", ready, () => connectWorker(config));
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
