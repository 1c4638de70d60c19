import { createDatabase, type Database } from "@truerun/shared/db";

/** The name of the mirror's connections in Postgres, by which its transactions are found there. */
export const MIRROR_APPLICATION = "truerun-mirror";

/** The mirror's pool: what it loses in a crash of the database is restored from Temporal's history. */
export function createMirrorDatabase(url: string, poolSize: number): Database {
  return createDatabase({
    url,
    poolSize,
    applicationName: MIRROR_APPLICATION,
    synchronousCommit: false,
    byIndex: true,
  });
}
