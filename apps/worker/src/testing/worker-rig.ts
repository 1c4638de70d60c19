// For tests only: a real worker in this process, on the shared Temporal and a database of its own.
import type { Client } from "@temporalio/client";
import {
  createTestDatabase,
  temporalAddress,
  uniqueName,
} from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { parseEnvironment } from "@truerun/shared/config";
import { isTerminal, type RunStatus } from "@truerun/shared/contracts/statuses";
import { createDatabase, type Database } from "@truerun/shared/db";
import { createDispatcher, type Dispatcher } from "@truerun/shared/dispatch/dispatcher";
import { createLogger, type Logger } from "@truerun/shared/logger";
import { toDataConverter } from "@truerun/shared/payloads/data-converter";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import type { Component } from "../component.ts";
import { type WorkerConfig, workerConfig } from "../config.ts";
import { connectWorker } from "../connect-worker.ts";
import { createMirrorDatabase } from "../mirror/mirror-database.ts";
import type { MirrorWriter } from "../mirror/mirror-writer.ts";
import { createReplayer, type Replayer } from "../mirror/replay-history.ts";
import type { ExternalComponents } from "../external/load-external-components.ts";
import { createFailures, type Failures } from "../reconcile/for-each-run.ts";
import { installTemporalRuntime } from "../temporal-runtime.ts";
import { createWorkerMetrics, type WorkerMetrics } from "../worker-metrics.ts";
import { createRunWorker, type RunWorkerOptions } from "../worker.ts";
import { WORKFLOW_BUNDLE } from "../workflow-bundle-path.ts";
import { readHead, readRun, type RunRow, type RunSpec, startRun } from "./rig-runs.ts";
import { testComponents } from "./test-components.ts";

export interface WorkerRig {
  db: Database;
  client: Client;
  config: WorkerConfig;
  dispatcher: Dispatcher;
  logger: Logger;
  replayer: Replayer;
  metrics: WorkerMetrics;
  failures: Failures;
  /** Starts the worker of an idle rig. */
  startWorker(): Promise<void>;
  /** Inserts a run's row with a definition of its own, and hands it to Temporal unless told otherwise. */
  startRun(run: RunSpec): Promise<string>;
  /** Waits until the run's row says that it ended. */
  finished(workflowRunId: string, timeoutMs?: number): Promise<RunRow>;
  /** Waits until its end is confirmed: something has to reconcile it, such as a whole worker. */
  confirmed(workflowRunId: string, timeoutMs?: number): Promise<RunRow>;
  getRun(workflowRunId: string): Promise<RunRow>;
  /** Resets a run in Temporal to the end of its workflow task with this event id; gives the new run's id. */
  reset(run: RunRow, workflowTaskFinishEventId: number): Promise<string>;
  close(): Promise<void>;
}

export interface RigOptions {
  /** Of the worker and its client, over the defaults. */
  environment?: Record<string, string>;
  /** Where the mirror writes, if not straight to the database: through a proxy, say. */
  mirrorUrl?: (url: string) => string;
  /** Where the worker reaches the database for everything else. */
  workerUrl?: (url: string) => string;
  /** Where the worker finds Temporal. */
  workerAddress?: (address: string) => string;
  /** Where the client that the worker is given finds Temporal, if not straight: through a proxy, say. */
  clientAddress?: (address: string) => string;
  /** No worker in this process, until the test starts one. */
  idle?: boolean;
  /** What other teams' workers serve. */
  externalComponents?: ExternalComponents;
  /** Called with the worker's mirror before it takes tasks. */
  onMirror?: (mirror: MirrorWriter) => void;
}

type Long = NonNullable<
  Parameters<Client["workflowService"]["resetWorkflowExecution"]>[0]["workflowTaskFinishEventId"]
>;

export async function createWorkerRig(options: RigOptions = {}): Promise<WorkerRig> {
  const database = await createTestDatabase();
  const config = parseEnvironment(workerConfig, {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_TASK_QUEUE: uniqueName("worker-test"),
    LOG_LEVEL: "silent",
    ...options.environment,
  });
  const logger = createLogger({ name: "test", level: config.LOG_LEVEL });
  installOnce(logger);
  const db = createDatabase({ url: database.url, poolSize: 20, applicationName: "test" });
  const mirrorDb = createMirrorDatabase(options.mirrorUrl?.(database.url) ?? database.url, 5);
  const workerDb = createDatabase({
    url: options.workerUrl?.(database.url) ?? database.url,
    poolSize: 5,
    applicationName: "test-worker",
  });
  const workerAddress = options.workerAddress?.(config.TEMPORAL_ADDRESS) ?? config.TEMPORAL_ADDRESS;
  const clientAddress = options.clientAddress?.(config.TEMPORAL_ADDRESS) ?? config.TEMPORAL_ADDRESS;
  const temporal = createTemporalClient(
    { ...config, TEMPORAL_ADDRESS: clientAddress },
    { callTimeoutMs: 20_000 },
  );
  const { client } = temporal;
  const dataConverter = toDataConverter(config);
  const replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE, dataConverter });
  const { externalComponents } = options;
  const external = externalComponents === undefined ? {} : { externalComponents };
  const start = () =>
    startWorker({
      config: { ...config, TEMPORAL_ADDRESS: workerAddress },
      client,
      db: workerDb,
      mirrorDb,
      logger,
      ...external,
      onMirror: options.onMirror,
    });
  let worker = options.idle === true ? null : await start();
  const dispatcher = createDispatcher({
    client,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    deadlineMs: 10_000,
    logger,
  });
  return {
    db,
    client,
    config,
    dispatcher,
    logger,
    replayer,
    metrics: createWorkerMetrics(),
    failures: createFailures(logger),
    async startWorker() {
      worker ??= await start();
    },
    startRun: (spec) => startRun({ db, dispatcher: spec.dispatcher ?? dispatcher }, spec),
    getRun: (id) => readRun(db, id),
    // The rows are read only then: they may be megabytes.
    finished: (id, timeoutMs) =>
      waitFor(
        `the end of ${id}`,
        async () => isTerminal((await readHead(db, id)).status as RunStatus) && readRun(db, id),
        timeoutMs,
      ),
    confirmed: (id, timeoutMs) =>
      waitFor(
        `the confirmed end of ${id}`,
        async () => (await readHead(db, id)).confirmedAt !== null && readRun(db, id),
        timeoutMs,
      ),
    async reset(row, eventId) {
      const reply = await temporal.connection.workflowService.resetWorkflowExecution({
        namespace: config.TEMPORAL_NAMESPACE,
        workflowExecution: { workflowId: row.id, runId: row.temporalRunId },
        reason: "test",
        requestId: crypto.randomUUID(),
        // The generated types know only their own 64-bit numbers; plain ones are taken as well.
        workflowTaskFinishEventId: eventId as unknown as Long,
      });
      return reply.runId;
    },
    async close() {
      await worker?.stop();
      await replayer.close();
      await temporal.close();
      await Promise.all([db, mirrorDb, workerDb].map((each) => each.$disconnect()));
      await database.drop();
    },
  };
}

async function startWorker({
  onMirror,
  ...options
}: Pick<
  RunWorkerOptions,
  "config" | "client" | "db" | "mirrorDb" | "logger" | "externalComponents"
> & { onMirror: RigOptions["onMirror"] }): Promise<{ stop(): Promise<void> }> {
  const connection = await connectWorker(options.config);
  const components = new Map(
    testComponents.map((each): [string, Component] => [each.action, each]),
  );
  const run = await createRunWorker({
    ...options,
    connection,
    components,
  });
  onMirror?.(run.mirror);
  const ended = run.worker.run();
  return {
    async stop() {
      run.worker.shutdown();
      await ended;
      await run.close();
      await connection.close();
    },
  };
}

let installed = false;

/** The SDK has one runtime per process. */
function installOnce(logger: Logger): void {
  if (!installed) installTemporalRuntime(logger, "silent");
  installed = true;
}
