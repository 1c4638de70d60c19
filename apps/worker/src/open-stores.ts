import type { Client, Connection } from "@temporalio/client";
import { createDatabase, type Database } from "@truerun/shared/db";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { boundCalls } from "./bound-calls.ts";
import type { WorkerConfig } from "./config.ts";
import { createMirrorDatabase } from "./mirror/mirror-database.ts";

/** What the worker asks: Postgres, through two pools, and Temporal, through a client. */
export interface Stores {
  db: Database;
  /** For the mirror, the reconciler and the run counts. Its commits return before they are on disk. */
  mirrorDb: Database;
  client: Client;
  /** The client's own, with all its services. */
  clientConnection: Connection;
  /** See {@link boundCalls}; for work that the worker's own stop cuts short. */
  bounded: ReturnType<typeof boundCalls>;
  close(): Promise<void>;
}

/** How long Temporal may take for a call: a frozen one would never answer. */
const CALL_TIMEOUT_MS = 20_000;

/** Connects to nothing yet: the first statement and the first call do. */
export function openStores(config: WorkerConfig): Stores {
  const url = config.DATABASE_URL;
  const mirrorPoolSize = Math.floor(config.DATABASE_POOL_SIZE / 2);
  const db = createDatabase({
    url,
    poolSize: config.DATABASE_POOL_SIZE - mirrorPoolSize,
    applicationName: "truerun-worker",
  });
  const mirrorDb = createMirrorDatabase(url, mirrorPoolSize);
  const temporal = createTemporalClient(config, { callTimeoutMs: CALL_TIMEOUT_MS });
  return {
    db,
    mirrorDb,
    client: temporal.client,
    clientConnection: temporal.connection,
    bounded: boundCalls(temporal.connection),
    async close() {
      await temporal.close();
      await Promise.all([db.$disconnect(), mirrorDb.$disconnect()]);
    },
  };
}
