// An end that callers have read must outlast the crash of a database whose commits do not wait for the disk.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "@truerun/dev/migrations/migrate";
import { type PostgresServer, startPostgres } from "@truerun/dev/postgres/start-postgres";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PRISMA_DIR } from "@truerun/dev/project-paths";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDatabase, type Database } from "@truerun/shared/db";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endLostRun } from "../reconcile/lost-runs.ts";
import { insertRun } from "../testing/insert-run.ts";
import { writeRecords } from "./mirror-statement.ts";
import { readRunRows } from "./run-rows.ts";

let folder: string;
let port: number;
let server: PostgresServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-crash-"));
  port = await findFreePort();
  server = await start();
  await migrate({ url: server.url("truerun"), prismaDir: PRISMA_DIR });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<PostgresServer> {
  return await startPostgres({
    dataDir: join(folder, "postgres"),
    port,
    logFile: join(folder, "postgres.log"),
    // So that what does not wait for the disk is not there before the crash.
    settings: ["wal_writer_delay=10s"],
  });
}

/** Kills the server; what its sessions have not handed to the operating system is gone with it. */
async function crash(): Promise<void> {
  server.process.kill("SIGKILL");
  await server.process.exited;
  // A session that has not noticed yet may prevent it.
  server = await waitFor("Postgres to be back", start);
}

async function connect<T>(
  work: (db: Database) => Promise<T>,
  { synchronousCommit = true } = {},
): Promise<T> {
  const url = server.url("truerun");
  const db = createDatabase({ url, poolSize: 1, applicationName: "test", synchronousCommit });
  try {
    return await work(db);
  } finally {
    await db.$disconnect();
  }
}

test.each<[what: string, end: (db: Database, id: string) => Promise<unknown>]>([
  [
    "the mirror",
    (db, id) =>
      writeRecords(db, [
        {
          kind: "end",
          run_id: id,
          temporal_run_id: "current",
          status: "completed",
          error_code: null,
          error_message: null,
          completed_at_ms: 1_000,
          step_count: 0,
          steps_digest: 0,
          mirror_length: 1,
          mirror_time_ms: 1_000,
          mirror_seq: 1,
        },
      ]),
  ],
  [
    "a projection",
    async (db, id) => {
      const rows = await readRunRows(db, id);
      return rows !== null && (await endLostRun(db, rows));
    },
  ],
])("an end that was written by %s stays", async (_, end) => {
  const id = await connect(insertRun);
  const read = (db: Database) => db.workflowRun.findUniqueOrThrow({ where: { id } });
  const shown = await connect(
    async (db) => {
      await end(db, id);
      return await read(db);
    },
    { synchronousCommit: false },
  );
  await crash();
  expect(shown.status).not.toBe("started");
  expect(await connect(read)).toEqual(shown);
});
