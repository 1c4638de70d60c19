// What the run tables hold, read directly.
import { pause } from "@truerun/shared/pause";
import pg from "pg";
import type { Service } from "../systems/service.ts";

const LOOK_EVERY_MS = 500;

/** How many runs have not ended. */
export async function countOpen(service: Service): Promise<number> {
  return await count(
    service,
    "SELECT count(*)::int AS n FROM workflow_runs WHERE status = 'started'",
  );
}

/** How many of these runs there are. */
export async function countRows(service: Service, ids: readonly string[]): Promise<number> {
  const sql = "SELECT count(*)::int AS n FROM workflow_runs WHERE id = ANY($1)";
  return await count(service, sql, [ids]);
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

async function count(
  { databaseUrl }: Service,
  sql: string,
  values: readonly unknown[] = [],
): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ n: number }>(sql, [...values]);
    return rows[0]?.n ?? 0;
  } finally {
    await client.end();
  }
}
