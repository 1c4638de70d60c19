import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { PRISMA_DIR } from "../project-paths.ts";
import { createTestDatabase } from "../testing/test-services.ts";
import { migrate, schemaToSql } from "./migrate.ts";

/** What the migrations add beyond what Prisma's schema language can say. */
const HAND_WRITTEN = [
  "constraint workflow_run_steps_status_check",
  "constraint workflow_runs_completed_at_check",
  "constraint workflow_runs_status_check",
  "index workflow_runs_unconfirmed_idx",
  "index workflow_runs_undispatched_idx",
  "trigger forget_run_counts",
  "trigger note_gone_run",
  "trigger note_new_run",
  "trigger note_run_place",
  "trigger note_run_status",
];

test("the migrations make what the schema says, and the constraints beyond it", async () => {
  const database = await createTestDatabase();
  const migrated = await describeTables(database.url);
  const fromSchema = await withClient(database.url, async (client) => {
    await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    await client.query(await schemaToSql({ url: database.url, prismaDir: PRISMA_DIR }));
    return await describeTables(database.url);
  });
  const extra = Object.keys(migrated).filter((name) => !(name in fromSchema));
  expect(extra).toEqual(HAND_WRITTEN);
  for (const [name, text] of Object.entries(fromSchema)) expect(migrated[name]).toBe(text);
  await database.drop();
});

test("a missing database is made, and a second run applies nothing", async () => {
  const database = await createTestDatabase();
  const url = `${database.url}_new`;
  expect(await migrate({ url, prismaDir: PRISMA_DIR })).not.toHaveLength(0);
  expect(await migrate({ url, prismaDir: PRISMA_DIR })).toEqual([]);
  await database.drop();
});

test("a migration that fails leaves nothing behind, and says why", async () => {
  const database = await createTestDatabase();
  const prismaDir = await mkdtemp(join(tmpdir(), "truerun-prisma-"));
  await cp(PRISMA_DIR, prismaDir, { recursive: true });
  await mkdir(join(prismaDir, "migrations", "99990101000000_broken"));
  await writeFile(
    join(prismaDir, "migrations", "99990101000000_broken", "migration.sql"),
    "CREATE TABLE half_done (id TEXT); SELECT nothing_of_this_name();",
  );
  await expect(migrate({ url: database.url, prismaDir })).rejects.toThrow("nothing_of_this_name");
  expect(Object.keys(await describeTables(database.url))).not.toContain("column half_done.id");
  await rm(prismaDir, { recursive: true });
  await database.drop();
});

test("runs that were there before they were counted are counted by the migration", async () => {
  const database = await createTestDatabase();
  const url = `${database.url}_old`;
  const prismaDir = await mkdtemp(join(tmpdir(), "truerun-prisma-"));
  await cp(PRISMA_DIR, prismaDir, {
    recursive: true,
    filter: (path) => !/migrations.2026112[5-9]|schema\.prisma$/.test(path),
  });
  await cp(join(PRISMA_DIR, "schema.prisma"), join(prismaDir, "schema.prisma"));
  await migrate({ url, prismaDir });
  const counted = await withClient(url, async (client) => {
    // 5,000 runs of one org and 10 of another, of two definitions; every fifth one has failed.
    await client.query(`
      INSERT INTO workflow_runs (id, org_id, definition_id, definition_version, workflow_name, input,
                                 request_hash, started_at, status, completed_at)
      SELECT 'run ' || n, CASE WHEN n <= 5000 THEN 'one' ELSE 'other' END, 'd' || n % 2, 1, 'w', '{}', '',
             to_timestamp(n), CASE WHEN n % 5 = 0 THEN 'failed' ELSE 'started' END,
             CASE WHEN n % 5 = 0 THEN now() END
        FROM generate_series(1, 5010) AS n`);
    await migrate({ url, prismaDir: PRISMA_DIR });
    const { rows } = await client.query<{ text: string }>(`
      SELECT concat_ws(' ', org_id, definition_id, extract(epoch FROM from_at), started, failed) AS text
        FROM workflow_run_counts WHERE completed + canceled = 0
       ORDER BY org_id, definition_id, from_at`);
    return rows.map(({ text }) => text);
  });
  const blocks = ["-Infinity 1600 399", "2000.000000 1600 400", "4000.000000 800 201"];
  expect(counted.slice(0, 3)).toEqual(blocks.map((block) => `one  ${block}`));
  expect(counted.slice(3, 5)).toEqual(["one d0 -Infinity 800 199", "one d0 2000.000000 800 200"]);
  expect(counted.slice(-3)).toEqual([
    "other  -Infinity 8 2",
    "other d0 -Infinity 4 1",
    "other d1 -Infinity 4 1",
  ]);
  await rm(prismaDir, { recursive: true });
  await withClient(database.url, (client) => {
    return client.query(`DROP DATABASE ${client.escapeIdentifier(new URL(url).pathname.slice(1))}`);
  });
  await database.drop();
});

/** Every column, index, trigger and constraint of a database, by name, as Postgres itself describes it. */
async function describeTables(url: string): Promise<Record<string, string>> {
  return await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string; text: string }>(`
      SELECT 'column ' || table_name || '.' || column_name AS name,
             concat_ws(' ', data_type, is_nullable, column_default, datetime_precision) AS text
        FROM information_schema.columns WHERE table_schema = 'public'
      UNION ALL
      SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL
      SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p')
      UNION ALL
      SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      ORDER BY 1`);
    const own = rows.filter(({ name }) => !name.includes("_prisma_migrations"));
    return Object.fromEntries(own.map(({ name, text }) => [name, text]));
  });
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
