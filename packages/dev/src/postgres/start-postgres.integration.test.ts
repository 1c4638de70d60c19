import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFreePort } from "../processes/ports.ts";
import { type PostgresServer, startPostgres } from "./start-postgres.ts";

let folder: string;
let dataDir: string;
const running: PostgresServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-postgres-"));
  dataDir = join(folder, "postgres");
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<PostgresServer> {
  const port = await findFreePort();
  const server = await startPostgres({ dataDir, port, logFile: join(folder, "postgres.log") });
  running.push(server);
  return server;
}

async function query(server: PostgresServer, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url("postgres") });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows;
  } finally {
    await client.end();
  }
}

test("it starts in a folder that nobody else may enter, and wants its password", async () => {
  const server = await start();
  expect(await query(server, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  expect((await stat(`${dataDir}.password`)).mode & 0o777).toBe(0o600);
  const url = new URL(server.url("postgres"));
  url.password = "guess";
  const intruder = new pg.Client({ connectionString: url.href });
  await expect(intruder.connect()).rejects.toThrow("password authentication failed");
});

test("what an interrupted first start left does not stand in the way", async () => {
  await mkdir(`${dataDir}.unfinished/base`, { recursive: true });
  await writeFile(`${dataDir}.unfinished/PG_VERSION`, "18\n");
  await writeFile(`${dataDir}.password`, "half");
  const server = await start();
  expect(await query(server, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("a server that a killed start left running is ended, and its data is there", async () => {
  const orphan = await start();
  await query(orphan, "CREATE TABLE kept AS SELECT 7 AS n");
  const server = await start();
  await orphan.process.exited;
  expect(await query(server, "SELECT n FROM kept")).toEqual([{ n: 7 }]);
});

test("a lock that names another program's process is passed over, and that program lives", async () => {
  const first = await start();
  first.process.kill("SIGKILL");
  await first.process.exited;
  const lock = join(dataDir, "postmaster.pid");
  const lines = (await readFile(lock, "utf8")).split("\n");
  await writeFile(lock, [String(process.pid), ...lines.slice(1)].join("\n"));
  const server = await start();
  expect(await query(server, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});
