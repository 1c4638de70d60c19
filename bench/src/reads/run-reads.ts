import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { toServiceEnvironment } from "@truerun/dev/config";
import { migrate } from "@truerun/dev/migrations/migrate";
import { type PostgresServer, startPostgres } from "@truerun/dev/postgres/start-postgres";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PRISMA_DIR } from "@truerun/dev/project-paths";
import { startService } from "@truerun/dev/start/start-service";
import pg from "pg";
import type { LoadPlan } from "../load/load-plan.ts";
import { type LoadedOrg, loadRuns } from "../load/load-runs.ts";
import { measureReads, type ReadResult, type ReadTarget } from "./measure-reads.ts";
import { measureWrites, removeCounts, type WriteResult } from "./measure-writes.ts";
import type { ReadsOptions } from "./reads-options.ts";

export interface ReadsReport {
  smallRuns: number;
  largeRuns: number;
  reads: ReadResult[];
  writes: WriteResult;
}

export interface ReadsRun {
  options: ReadsOptions;
  /** An empty folder for the servers' files. */
  dataDir: string;
  say: (message: string) => void;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Loads runs, measures writes and reads, and stops what it started. */
export async function runReads({ options, dataDir, say }: ReadsRun): Promise<ReadsReport> {
  await mkdir(join(dataDir, "logs"), { recursive: true });
  const started: Stoppable[] = [];
  try {
    const postgres = await startPostgres({
      dataDir: join(dataDir, "postgres"),
      port: await findFreePort(),
      logFile: join(dataDir, "logs", "postgres.log"),
    });
    started.push(postgres);
    const small = await load("small", { postgres, plan: options.small, say });
    const large = await load("large", { postgres, plan: options.large, say });
    say("Writes");
    // Both the same size: only the counts may differ.
    const withCounts = await copyDatabase(postgres, small, "with_counts");
    const without = await copyDatabase(postgres, small, "without");
    await removeCounts(without.url);
    const writes = await measureWrites({ withCounts, without }, options.writes);
    say("Reads");
    const targets = {
      small: await serve(small, { plan: options.small, dataDir, started }),
      large: await serve(large, { plan: options.large, dataDir, started }),
    };
    const reads = await measureReads(targets, options.samples);
    return { smallRuns: options.small.runs, largeRuns: options.large.runs, reads, writes };
  } finally {
    for (const part of started.reverse()) await part.stop();
  }
}

interface Loading {
  postgres: PostgresServer;
  plan: LoadPlan;
  say: (message: string) => void;
}

interface Loaded extends LoadedOrg {
  name: string;
  url: string;
}

async function load(name: string, { postgres, plan, say }: Loading): Promise<Loaded> {
  const url = postgres.url(name);
  await migrate({ url, prismaDir: PRISMA_DIR });
  const all = plan.runs + plan.otherRuns;
  const onProgress = (runs: number): void => {
    if (runs % 200_000 === 0 || runs === all) say(`Loading "${name}": ${runs} of ${all} runs`);
  };
  return { name, url, ...(await loadRuns({ url, plan, onProgress })) };
}

/** Writes go to copies, so that they do not change what is read. */
async function copyDatabase(
  postgres: PostgresServer,
  original: Loaded,
  name: string,
): Promise<Loaded> {
  const admin = new pg.Client({ connectionString: postgres.url("postgres") });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${original.name}`);
  await admin.end();
  return { ...original, name, url: postgres.url(name) };
}

interface Serving {
  plan: LoadPlan;
  dataDir: string;
  started: Stoppable[];
}

/** Starts a gateway of its own: all that differs is how much its database holds. */
async function serve(org: Loaded, { plan, dataDir, started }: Serving): Promise<ReadTarget> {
  const port = await findFreePort();
  const folder = join(dataDir, org.name);
  await mkdir(join(folder, "logs"), { recursive: true });
  // Nothing listens there: none of the questions needs Temporal.
  const temporal = `127.0.0.1:${await findFreePort()}`;
  const environment = toServiceEnvironment(
    { DATABASE_URL: org.url, TEMPORAL_ADDRESS: temporal, HOST: "127.0.0.1", PORT: String(port) },
    { embeddedTemporal: true },
  );
  const { signal } = new AbortController();
  started.push(await startService({ name: "api", dataDir: folder, environment, signal }));
  return { port, key: org.key, runs: plan.runs, endMs: org.endMs, days: plan.days };
}
