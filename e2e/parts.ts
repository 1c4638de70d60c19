// The service in parts, each a process of its own that a test can kill and start again.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey } from "../packages/dev/src/keys/create-key.ts";
import { migrate } from "../packages/dev/src/migrations/migrate.ts";
import { startPostgres } from "../packages/dev/src/postgres/start-postgres.ts";
import {
  type ManagedProcess,
  startProcess,
} from "../packages/dev/src/processes/managed-process.ts";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PRISMA_DIR, PROJECT_DIR, TEMPORAL_CACHE_DIR } from "../packages/dev/src/project-paths.ts";
import { findTemporal } from "../packages/dev/src/temporal/find-temporal.ts";
import { startTemporal, type TemporalServer } from "../packages/dev/src/temporal/start-temporal.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import { createDatabase, type Database } from "../packages/shared/src/db.ts";

export interface Part {
  /** Starts it, and waits until it is ready. */
  start(): Promise<void>;
  /** Kills it if it is running. */
  kill(): Promise<void>;
  /** Stops it, or lets it continue. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

export interface Parts {
  db: Database;
  temporalAddress: string;
  /** Address of the gateway. */
  apiUrl: string;
  temporal: Part;
  /** After its start it takes a moment until it takes work. */
  worker: Part;
  gateway: Part;
  /** Creates a key that may change definitions. @returns its text */
  createKey(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts Postgres, which keeps running, and prepares the other parts. Needs what `npm run build` makes. */
export async function createParts(): Promise<Parts> {
  const folder = await mkdtemp(join(tmpdir(), "truerun-parts-"));
  const logFile = (name: string) => join(folder, `${name}.log`);
  const [port, temporalPort] = [await findFreePort(), await findFreePort()];
  const apiUrl = `http://127.0.0.1:${port}`;
  const temporalAddress = `127.0.0.1:${temporalPort}`;
  const postgres = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await findFreePort(),
    logFile: logFile("postgres"),
  });
  const url = postgres.url("truerun");
  await migrate({ url, prismaDir: PRISMA_DIR });
  const db = createDatabase({ url, poolSize: 2, applicationName: "test" });
  const env = {
    PATH: process.env["PATH"],
    DATABASE_URL: url,
    TEMPORAL_ADDRESS: temporalAddress,
    PORT: String(port),
    DATA_DIR: folder,
  };
  const startMain = (name: string) => () =>
    startProcess({
      command: process.execPath,
      args: [join(PROJECT_DIR, "apps", name, "dist", "main.js")],
      env,
      logFile: logFile(name),
    });
  const isUp = async () => (await fetch(`${apiUrl}/healthz`)).status === 200;
  const gateway = createPart({ start: startMain("api"), ready: isUp });
  const worker = createPart({ start: startMain("worker"), ready: () => true });
  const temporal = createTemporalPart({
    dbFile: join(folder, "temporal.db"),
    port: temporalPort,
    logFile: logFile("temporal"),
  });
  return {
    db,
    temporalAddress,
    apiUrl,
    temporal,
    worker,
    gateway,
    createKey: (name) => createKey(db, { org: "test", name, scopes: ["workflows:write"] }),
    async close() {
      for (const part of [gateway, worker, temporal]) await part.kill();
      await db.$disconnect();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function createPart(options: {
  start: () => Promise<ManagedProcess>;
  ready: () => boolean | Promise<boolean>;
}): Part {
  let running: ManagedProcess | undefined;
  return {
    async start() {
      running = await options.start();
      await waitFor("the part", options.ready, 30_000);
    },
    async kill() {
      await running?.stop("SIGKILL", 0);
    },
    signal: (signal) => running?.kill(signal),
  };
}

function createTemporalPart(
  options: Pick<Parameters<typeof startTemporal>[0], "dbFile" | "port" | "logFile">,
): Part {
  let running: TemporalServer | undefined;
  return {
    async start() {
      const cliPath = await findTemporal({
        cliPath: process.env["TEMPORAL_CLI_PATH"],
        cacheDir: TEMPORAL_CACHE_DIR,
      });
      running = await startTemporal({ ...options, cliPath, uiPort: null, namespace: "default" });
    },
    async kill() {
      await running?.process.stop("SIGKILL", 0);
    },
    signal: (signal) => running?.process.kill(signal),
  };
}
