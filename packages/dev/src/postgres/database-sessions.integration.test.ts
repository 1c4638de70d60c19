// What createDatabase makes of sessions whatever the server's defaults are, and of connections that fall silent.
import { createDatabase, type Database } from "@truerun/shared/db";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-services.ts";

const STATEMENT_MS = 500;

let database: TestDatabase;
let proxy: TcpProxy;
let db: Database;
let other: Database;

beforeEach(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  proxy = await createTcpProxy({ targetPort: Number(url.port) });
  url.port = String(proxy.port);
  db = createDatabase({
    url: url.href,
    poolSize: 1,
    applicationName: "test",
    statementTimeoutMs: STATEMENT_MS,
  });
  other = createDatabase({ url: database.url, poolSize: 1, applicationName: "other" });
});
afterEach(async () => {
  proxy.restore();
  await Promise.all([db.$disconnect(), other.$disconnect()]);
  await proxy.close();
  await database.drop();
});

test("times are what they are, whatever zone and style the server writes them in", async () => {
  const [defaults] = await db.$queryRaw<{ zone: string; style: string }[]>`
    SELECT reset_val AS zone, (SELECT reset_val FROM pg_settings WHERE name = 'DateStyle') AS style
      FROM pg_settings WHERE name = 'TimeZone'`;
  // Given by the session, over what the tests' server has.
  expect(defaults).toEqual({ zone: "UTC", style: expect.stringMatching(/^ISO/) });
  const before = Date.now();
  const { id, createdAt } = await db.organization.create({ data: { id: "cborg_1", name: "one" } });
  expect(Math.abs(createdAt.getTime() - before)).toBeLessThan(60_000);
  const written = new Date("2026-07-01T12:34:56.789Z");
  await db.organization.update({ where: { id }, data: { createdAt: written } });
  const [read] = await db.$queryRaw<{ ms: number; at: Date }[]>`
    SELECT extract(epoch FROM created_at)::float8 * 1000 AS ms, created_at AS at FROM organizations`;
  expect([read?.ms, read?.at]).toEqual([written.getTime(), written]);
});

test("settings in the URL stand beside the service's own", async () => {
  const url = new URL(database.url);
  url.searchParams.set("options", "-c work_mem=5MB -c TimeZone=Asia/Tokyo");
  const options = { url: url.href, poolSize: 1, applicationName: "test", byIndex: true };
  const own = createDatabase(options);
  const [settings] = await own.$queryRaw<object[]>`
    SELECT current_setting('work_mem') AS memory, current_setting('TimeZone') AS zone,
           current_setting('enable_seqscan') AS scan`;
  await own.$disconnect();
  expect(settings).toEqual({ memory: "5MB", zone: "UTC", scan: "off" });
});

test("the name and the time limits of sessions are the service's, whatever the URL says", async () => {
  const url = new URL(database.url);
  for (const name of ["application_name", "statement_timeout", "query_timeout"]) {
    url.searchParams.set(name, "60000");
  }
  const own = createDatabase({ url: url.href, poolSize: 1, applicationName: "the mirror" });
  const [session] = await own.$queryRaw<object[]>`
    SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS most`;
  await own.$disconnect();
  expect(session).toEqual({ name: "the mirror", most: "2250ms" });
});

test("a transaction that met a silent server leaves nothing to the next user of its connection", async () => {
  const abandoned = db.$transaction(async (tx) => {
    await tx.organization.create({ data: { id: "cborg_1", name: "abandoned" } });
    proxy.freeze();
    await tx.organization.create({ data: { id: "cborg_2", name: "never sent" } });
  });
  await expect(abandoned).rejects.toThrow("Query read timeout");
  proxy.restore();
  // Alone, it must be visible to others at once; in a transaction, it must not bring along what was abandoned.
  await db.organization.create({ data: { id: "cborg_3", name: "alone" } });
  expect(await names()).toEqual(["alone"]);
  await db.$transaction((tx) =>
    tx.organization.create({ data: { id: "cborg_4", name: "together" } }),
  );
  expect(await names()).toEqual(["alone", "together"]);
});

async function names(): Promise<string[]> {
  const orgs = await other.organization.findMany({ orderBy: { id: "asc" } });
  return orgs.map(({ name }) => name);
}
