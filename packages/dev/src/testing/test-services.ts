import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** Address of the Temporal that all integration tests share. */
export function temporalAddress(): string {
  return inject("temporalAddress");
}

/** A name that no other test uses: for task queues, orgs and definitions. */
export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

export interface TestDatabase {
  /** `postgresql://...` of a database with all tables, empty. */
  url: string;
  drop(): Promise<void>;
}

/** A database of the test file's own: a copy of the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const database = nameTestDatabase();
  await database.create();
  return database;
}

/** The same, before it is there. */
export function nameTestDatabase(): TestDatabase & { create(): Promise<void> } {
  const template = new URL(inject("templateUrl"));
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const address = new URL(template);
  address.pathname = `/${name}`;
  return {
    url: address.href,
    create: () =>
      asAdmin(template, `CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`),
    drop: () => asAdmin(template, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function asAdmin(template: URL, statement: string): Promise<void> {
  const admin = new URL(template);
  admin.pathname = "/postgres";
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    // Postgres refuses to copy a template twice at the same time; the lock makes the copies take turns.
    await client.query("SELECT pg_advisory_lock(4711)");
    await client.query(statement);
  } finally {
    await client.end();
  }
}
