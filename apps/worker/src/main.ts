// The worker process: runs workflows and component activities, mirrors them, dispatches what is left.
import { NativeConnection } from "@temporalio/worker";
import { ConfigurationError, parseEnvironment } from "@truerun/shared/config";
import { createDatabase } from "@truerun/shared/db";
import { createDispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatch-run";
import { createLogger, type Logger } from "@truerun/shared/logger";
import {
  createTemporalClient,
  temporalConnectionOptions,
} from "@truerun/shared/temporal-connection";
import { fileURLToPath } from "node:url";
import { workerConfig } from "./config.ts";
import { deleteExpiredKeys } from "./dispatch/delete-expired-keys.ts";
import { redispatchRuns } from "./dispatch/redispatch-runs.ts";
import { ComponentsError, loadComponents } from "./load-components.ts";
import { startPeriodic } from "./periodic.ts";
import { prepareNamespace } from "./prepare-namespace.ts";
import { publishCatalogue } from "./publish-catalogue.ts";
import { installTemporalRuntime } from "./temporal-runtime.ts";
import { confirmClosedRuns } from "./reconcile/closed-runs.ts";
import { createRunWorker } from "./worker.ts";
import { WORKFLOW_BUNDLE } from "./workflow-bundle-path.ts";

/** How long Postgres and Temporal may take to come up after this process. */
const START_PATIENCE_MS = 60_000;
const SWEEP_INTERVAL_MS = 1_000;
const CLOSED_RUNS_INTERVAL_MS = 1_000;
const HOUSEKEEPING_INTERVAL_MS = 60_000;

async function main(): Promise<void> {
  const config = parseEnvironment(workerConfig);
  const logger = createLogger({ name: "truerun-worker", level: config.LOG_LEVEL });
  installTemporalRuntime(logger, config.LOG_LEVEL);
  const components = await loadComponents(fileURLToPath(new URL("components", import.meta.url)));
  const database = { url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE };
  const db = createDatabase({ ...database, applicationName: "truerun-worker" });
  // What a crash of the database takes from the mirror, Temporal's history gives back.
  const mirrorDb = createDatabase({
    ...database,
    applicationName: "truerun-mirror",
    synchronousCommit: false,
  });
  const temporal = createTemporalClient(config);
  const ready = { logger, patienceMs: START_PATIENCE_MS };
  await patiently("Postgres", ready, () => publishCatalogue({ db, components, logger }));
  await patiently("Temporal", ready, () =>
    prepareNamespace(temporal.connection, config.TEMPORAL_NAMESPACE, logger),
  );
  const connection = await NativeConnection.connect(temporalConnectionOptions(config));
  const run = await createRunWorker({
    config,
    connection,
    client: temporal.client,
    mirrorDb,
    components,
    bundlePath: WORKFLOW_BUNDLE,
    logger,
  });

  const marks = createDispatchMarks({ db, logger });
  const dispatcher = createDispatcher({
    client: temporal.client,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    deadlineMs: config.DISPATCH_DEADLINE_MS,
    logger,
  });
  const loops = [
    startPeriodic({
      name: "redispatch",
      intervalMs: SWEEP_INTERVAL_MS,
      logger,
      pass: () => redispatchRuns({ db, client: temporal.client, dispatcher, marks, logger }),
    }),
    startPeriodic({
      name: "closed runs",
      intervalMs: CLOSED_RUNS_INTERVAL_MS,
      logger,
      pass: () =>
        confirmClosedRuns({
          db: mirrorDb,
          client: temporal.client,
          bundlePath: WORKFLOW_BUNDLE,
          logger,
        }),
    }),
    startPeriodic({
      name: "housekeeping",
      intervalMs: HOUSEKEEPING_INTERVAL_MS,
      logger,
      pass: () => deleteExpiredKeys(db),
    }),
  ];

  onStop(() => run.worker.shutdown());
  const ended = run.worker.run();
  logger.info(
    { taskQueue: config.TEMPORAL_TASK_QUEUE, actions: [...components.keys()] },
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
    await Promise.all([db.$disconnect(), mirrorDb.$disconnect()]);
  }
  logger.info("worker stopped");
}

/** Something that is needed was not there in time. */
class StartError extends Error {
  constructor(what: string, patienceMs: number, cause: unknown) {
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    super(`${what} could not be used within ${patienceMs / 1_000} s: ${String(reason)}`, { cause });
  }
}

/** Tries until it works or patience ends: services may be started in any order. */
async function patiently<T>(
  what: string,
  { logger, patienceMs }: { logger: Logger; patienceMs: number },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw new StartError(what, patienceMs, error);
      logger.warn({ err: error }, `${what} does not answer yet`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

/** SIGTERM and SIGINT drain; so does the end of the parent that started this process with a channel. */
function onStop(stop: () => void): void {
  let stopping = false;
  const once = (): void => {
    if (stopping) return;
    stopping = true;
    stop();
  };
  process.on("SIGTERM", once);
  process.on("SIGINT", once);
  process.on("disconnect", once);
}

/** An error that was made to be read needs no stack; any other is a fault of ours. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const readable = [ConfigurationError, ComponentsError, StartError];
  return readable.some((type) => error instanceof type)
    ? error.message
    : (error.stack ?? error.message);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
