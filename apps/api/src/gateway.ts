import { createDatabase, type Database } from "@truerun/shared/db";
import { createDispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatcher";
import { measureDispatches } from "@truerun/shared/dispatch/measure-dispatches";
import type { Logger } from "@truerun/shared/logger";
import { Registry, serveMetricsIfWanted } from "@truerun/shared/metrics";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { pingTemporal } from "@truerun/shared/temporal-deadline";
import type { ApiConfig } from "./config.ts";
import { createServer } from "./server.ts";

/** A running gateway. */
export interface Gateway {
  port: number;
  /** Finishes the requests under way, commits the marks still held, and closes every connection. */
  stop(): Promise<void>;
}

/** How long a probe of Temporal may take; the caller gives up around then. */
const PING_WITHIN_MS = 1_500;

/** Builds a gateway from its configuration and starts listening, even if the database or Temporal is down. */
export async function startGateway(config: ApiConfig, logger: Logger): Promise<Gateway> {
  const { db, startsDb, openConnections } = createDatabases(config, logger);
  const temporal = createTemporalClient(config);
  const marks = createDispatchMarks({ db: startsDb, logger });
  const registry = new Registry();
  const dispatcher = createDispatcher({
    client: temporal.client,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    deadlineMs: config.DISPATCH_DEADLINE_MS,
    logger,
  });
  const server = createServer({
    db,
    startsDb,
    client: temporal.client,
    marks,
    logger,
    registry,
    dispatcher: measureDispatches(dispatcher, registry),
    pingTemporal: () => pingTemporal(temporal.connection, PING_WITHIN_MS),
    config,
  });
  const metrics = await serveMetricsIfWanted({ config, registry, logger });
  await openConnections();
  const port = await server.listen(config.PORT, config.HOST);
  return {
    port,
    async stop() {
      await server.drain(config.SHUTDOWN_TIMEOUT_MS);
      await metrics?.close();
      await marks.close();
      await temporal.close();
      await Promise.all([db.$disconnect(), startsDb.$disconnect()]);
    },
  };
}

/** Half of the connections are for run starts, the others for everything else. */
function createDatabases(config: ApiConfig, logger: Logger) {
  const startsPoolSize = Math.floor(config.DATABASE_POOL_SIZE / 2);
  const poolSize = config.DATABASE_POOL_SIZE - startsPoolSize;
  const { DATABASE_URL: url } = config;
  const database = { url, applicationName: "truerun-api", planOnce: true, byIndex: true };
  const db = createDatabase({ ...database, poolSize });
  const startsDb = createDatabase({ ...database, poolSize: startsPoolSize });
  return {
    db,
    startsDb,
    openConnections: async () => {
      await Promise.all([fill(db, poolSize, logger), fill(startsDb, startsPoolSize, logger)]);
    },
  };
}

/**
 * Fills the pool, so that a burst right after startup need not wait for connections. An unreachable
 * database does not prevent startup: requests get 503, and `/readyz` names it.
 */
async function fill(db: Database, count: number, logger: Logger): Promise<void> {
  const opened = await Promise.allSettled(
    Array.from({ length: count }, () => db.$queryRaw`SELECT 1`),
  );
  const failed = opened.find((result) => result.status === "rejected");
  if (failed !== undefined) logger.warn({ err: failed.reason }, "the database does not answer yet");
}
