import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pause } from "@truerun/shared/pause";
import { Connection } from "@temporalio/client";
import { SEARCH_ATTRIBUTE_NAMES } from "@truerun/shared/search-attributes";
import { type ManagedProcess, startProcess } from "../processes/managed-process.ts";
import { endRecorded } from "../processes/orphans.ts";

export interface TemporalOptions {
  /** The CLI; see `findTemporal`. */
  cliPath: string;
  /** File that keeps histories and visibility. */
  dbFile: string;
  port: number;
  /** Null: without Web UI. */
  uiPort: number | null;
  namespace: string;
  logFile: string;
  /** False: with the server's own defaults, as somebody new to Temporal has it. Default: true. */
  isTuned?: boolean;
  /** Further dynamic configuration: `name=value`. */
  dynamicConfig?: readonly string[];
}

export interface TemporalServer {
  /** `host:port` */
  address: string;
  process: ManagedProcess;
  stop(): Promise<void>;
}

/** Longer than `DISPATCH_WINDOW_HOURS`; the dev server's default is not. */
const RETENTION_SECONDS = 72 * 3_600;
const START_TIMEOUT_MS = 60_000;

/**
 * Each of these was measured; the server's defaults are for a cluster, not for one process on a file.
 */
const TUNING = [
  // 2.2 times the throughput on a file: the default journal waits for the disk at every transaction.
  "--sqlite-pragma",
  "journal_mode=wal",
  "--sqlite-pragma",
  "synchronous=1",
  // Default 1,000 pages, 4 MB: every hundred starts waited for the disk. 10 % more starts per second.
  "--sqlite-pragma",
  "wal_autocheckpoint=10000",
  // Default 20 per second for the only shard: a lone run of three steps took 200 ms, with this 57 ms.
  "--dynamic-config-value",
  "history.transferProcessorMaxPollRPS=100",
  // Default 4 partitions, between which a single server only forwards: 34 → 39 runs/s, p99 5.3 → 2.0 s.
  "--dynamic-config-value",
  "matching.numTaskqueueReadPartitions=1",
  "--dynamic-config-value",
  "matching.numTaskqueueWritePartitions=1",
  // Off by default: tasks wait in a single line, and a run behind 250 of another org took 18.4 s; with the
  // fairness keys of `toStartOptions` 1.4 s, and all of them together no longer than before.
  "--dynamic-config-value",
  "matching.enableFairness=true",
  // The dev server reads the search attributes' names from its file whenever it needs them, a cluster once a minute:
  // 4 % of its CPU for a run of three steps.
  "--dynamic-config-value",
  "system.forceSearchAttributesCacheRefreshOnRead=false",
  // Default 128,000 runs, including ended ones: 317 MB after 6,000 runs of three local steps, with this 205 to
  // 222 MB from the 1,500th run on.
  "--dynamic-config-value",
  "history.hostLevelCacheMaxSize=2000",
  // Default 30 s, during which a queue keeps finished tasks and looks at all of them for each new one: 10 % of
  // its CPU among thousands of runs, with this 1 %.
  ...["transfer", "timer", "visibility"].flatMap((queue) => [
    "--dynamic-config-value",
    `history.${queue}ProcessorUpdateAckInterval="2s"`,
  ]),
];

/**
 * Starts a Temporal dev server on a file, registers the search attributes and sets the retention.
 *
 * @throws when it does not come up; the message has the end of its log
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const { cliPath, port, uiPort, namespace, logFile } = options;
  const dbFile = resolve(options.dbFile);
  await mkdir(dirname(dbFile), { recursive: true });
  await endLeftOverTemporal(dbFile);
  const args = [
    "server",
    "start-dev",
    "--ip",
    "127.0.0.1",
    "--port",
    String(port),
    ...(uiPort === null ? ["--headless"] : ["--ui-port", String(uiPort)]),
    "--db-filename",
    dbFile,
    "--namespace",
    namespace,
    "--log-level",
    "error",
    ...SEARCH_ATTRIBUTE_NAMES.flatMap((name) => ["--search-attribute", `${name}=Keyword`]),
    ...(options.isTuned === false ? [] : TUNING),
    ...(options.dynamicConfig ?? []).flatMap((each) => ["--dynamic-config-value", each]),
  ];
  const server = await startProcess({ command: cliPath, args, logFile });
  await writeFile(pidFile(dbFile), String(server.pid));
  const address = `127.0.0.1:${port}`;
  try {
    await prepare(server, address, namespace);
  } catch (error) {
    await server.stop("SIGKILL", 0);
    throw new Error(`Temporal does not come up (${String(error)}):\n${server.tail()}`);
  }
  return {
    address,
    process: server,
    async stop() {
      await server.stop("SIGTERM", 15_000);
      await rm(pidFile(dbFile), { force: true });
    },
  };
}

/** Ends a server that an earlier start left running on this file: two would corrupt it. */
export async function endLeftOverTemporal(dbFile: string): Promise<void> {
  const file = resolve(dbFile);
  await endRecorded({ pidFile: pidFile(file), mark: file, signal: "SIGTERM" });
}

function pidFile(dbFile: string): string {
  return `${dbFile}.pid`;
}

async function prepare(server: ManagedProcess, address: string, namespace: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (;;) {
    const connection = Connection.lazy({ address });
    try {
      await connection.withDeadline(Date.now() + 2_000, async () => {
        await connection.workflowService.updateNamespace({
          namespace,
          config: { workflowExecutionRetentionTtl: { seconds: RETENTION_SECONDS } as never },
        });
        // The server is ready once it answers what the services will ask.
        await connection.workflowService.countWorkflowExecutions({ namespace });
      });
      return;
    } catch (error) {
      if (ended || Date.now() > deadline) throw error;
      await pause(50);
    } finally {
      await connection.close();
    }
  }
}
