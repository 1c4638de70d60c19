import { join } from "node:path";
import { createTemporalClient, type TemporalConfig } from "@truerun/shared/temporal-connection";
import type { StartConfig } from "../config.ts";
import { endLeftOverPostgres, startPostgres } from "../postgres/start-postgres.ts";
import { findFreePort } from "../processes/ports.ts";
import { TEMPORAL_CACHE_DIR } from "../project-paths.ts";
import { findTemporal } from "../temporal/find-temporal.ts";
import { endLeftOverTemporal, startTemporal } from "../temporal/start-temporal.ts";
import type { Progress } from "./progress.ts";
import { StartError } from "./start-error.ts";
import { type SupervisedPart, supervisePart } from "./supervise-part.ts";

export interface StoreContext {
  config: StartConfig;
  progress: Progress;
  signal: AbortSignal;
  /** Called with a part as soon as it runs, so that it is ended whatever happens next. */
  onStarted: (part: Pick<SupervisedPart<never>, "stop">) => void;
}

const DATABASE = "truerun";
/** For a Temporal elsewhere, already running. */
const ANSWER_WITHIN_MS = 10_000;

/** Ends what a killed supervisor left behind, so that its ports are free again. */
export async function endLeftOverStores({ DATA_DIR }: StartConfig): Promise<void> {
  await Promise.all([
    endLeftOverPostgres(join(DATA_DIR, "postgres")),
    endLeftOverTemporal(join(DATA_DIR, "temporal.db")),
  ]);
}

/** @returns the URL of the database, which may not exist yet */
export async function startDatabase(context: StoreContext): Promise<string> {
  const { config, progress } = context;
  if (config.DATABASE_URL !== undefined) {
    progress.line("Postgres: the one of DATABASE_URL");
    return config.DATABASE_URL;
  }
  // Nobody else needs to know this port, so any will do; it stays the same when the server is restarted.
  const port = await findFreePort();
  const start = () =>
    startPostgres({
      dataDir: join(config.DATA_DIR, "postgres"),
      port,
      logFile: join(config.DATA_DIR, "logs", "postgres.log"),
    });
  const part = await progress.step(
    "Postgres",
    () => supervisePart({ name: "Postgres", start, say: progress.line }),
    ({ first }) => `Postgres ${first.version}`,
  );
  context.onStarted(part);
  return part.first.url(DATABASE);
}

/** @returns the server's address, `host:port` */
export async function startEngine(
  context: StoreContext,
  ports: { port: number; uiPort: number },
): Promise<string> {
  const { config, progress, signal } = context;
  if (config.TEMPORAL_ADDRESS !== undefined) {
    const address = config.TEMPORAL_ADDRESS;
    await checkEngine({ ...config, TEMPORAL_ADDRESS: address });
    progress.line(`Temporal: the one of TEMPORAL_ADDRESS, ${address}`);
    return address;
  }
  const cliPath = await findTemporal({
    cliPath: config.TEMPORAL_CLI_PATH,
    cacheDir: TEMPORAL_CACHE_DIR,
    progress: (message) => progress.line(`Temporal: ${message}`),
    signal,
  });
  const start = () =>
    startTemporal({
      cliPath,
      dbFile: join(config.DATA_DIR, "temporal.db"),
      ...ports,
      namespace: config.TEMPORAL_NAMESPACE,
      logFile: join(config.DATA_DIR, "logs", "temporal.log"),
    });
  const part = await progress.step("Temporal", () =>
    supervisePart({ name: "Temporal", start, say: progress.line }),
  );
  context.onStarted(part);
  return part.first.address;
}

/** Reports a Temporal that cannot be used before anything waits for it. */
async function checkEngine(config: TemporalConfig): Promise<void> {
  const temporal = createTemporalClient(config);
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = config;
  try {
    await temporal.connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      temporal.connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `The Temporal of TEMPORAL_ADDRESS (${address}) cannot be used with the namespace ${namespace}: ${reason}`,
    );
  } finally {
    await temporal.close();
  }
}
