// What the run tables hold, read directly.
import { pause } from "@truerun/shared/pause";
import pg from "pg";
import type { Service } from "../systems/service.ts";

const LOOK_EVERY_MS = 500;

/** How many runs have not ended. */
export async function countOpen(service: Service): Promise<number> {
  const sql = "SELECT count(*)::int AS n FROM workflow_runs WHERE status = 'started'";
  const [row] = await query<{ n: number }>(service, sql);
  return row?.n ?? 0;
}

/** How many of these runs have each status. Those without a row have none. */
export async function countByStatus(
  service: Service,
  ids: readonly string[],
): Promise<Record<string, number>> {
  const sql =
    "SELECT status, count(*)::int AS n FROM workflow_runs WHERE id = ANY($1) GROUP BY status";
  const rows = await query<{ status: string; n: number }>(service, sql, [ids]);
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

/** @returns how many runs had not ended when patience ran out */
export async function waitUntilEnded(service: Service, patienceMs: number): Promise<number> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const open = await countOpen(service);
    if (open === 0 || Date.now() > deadline) return open;
    await pause(LOOK_EVERY_MS);
  }
}

/** In bytes; the WAL is all that was written since the database server began. */
export interface Storage {
  tables: number;
  wal: number;
}

/** What the run tables and all others take, indexes included. */
export async function readStorage(service: Service): Promise<Storage> {
  const sql = `SELECT pg_database_size(current_database())::float8 AS tables,
    (pg_current_wal_lsn() - '0/0')::float8 AS wal`;
  const [row] = await query<Storage>(service, sql);
  return row ?? { tables: Number.NaN, wal: Number.NaN };
}

async function query<T extends pg.QueryResultRow>(
  { databaseUrl }: Service,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
