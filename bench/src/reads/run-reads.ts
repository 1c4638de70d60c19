import { migrate } from "@truerun/dev/migrations/migrate";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PRISMA_DIR } from "@truerun/dev/project-paths";
import pg from "pg";
import type { LoadPlan } from "../load/load-plan.ts";
import { type LoadedOrg, loadRuns } from "../load/load-runs.ts";
import { GATEWAY_MAIN } from "../systems/service.ts";
import { createParts, type Parts } from "../systems/start-parts.ts";
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
  /** The one variable that servers get from this process. */
  path: string | undefined;
  say: (message: string) => void;
}

/** Loads runs, measures writes and reads, and stops what it started. */
export async function runReads({ options, dataDir, path, say }: ReadsRun): Promise<ReadsReport> {
  const parts = await createParts({ dataDir, path }, "reads");
  try {
    const server = await parts.postgres();
    const small = await load("small", { server, plan: options.small, say });
    const large = await load("large", { server, plan: options.large, say });
    say("Writes");
    // Both the same size: only the counts may differ.
    const withCounts = await copyDatabase(server, small, "with_counts");
    const without = await copyDatabase(server, small, "without");
    await removeCounts(without.url);
    const writes = await measureWrites({ withCounts, without }, options.writes);
    say("Reads");
    const targets = {
      small: await serve(parts, small, options.small),
      large: await serve(parts, large, options.large),
    };
    const reads = await measureReads(targets, options.samples);
    return { smallRuns: options.small.runs, largeRuns: options.large.runs, reads, writes };
  } finally {
    await parts.stop();
  }
}

interface Loading {
  /** `postgresql://...` of any database of the server. */
  server: string;
  plan: LoadPlan;
  say: (message: string) => void;
}

interface Loaded extends LoadedOrg {
  name: string;
  url: string;
}

async function load(name: string, { server, plan, say }: Loading): Promise<Loaded> {
  const url = databaseUrl(server, name);
  await migrate({ url, prismaDir: PRISMA_DIR });
  const all = plan.runs + plan.otherRuns;
  const onProgress = (runs: number): void => {
    if (runs % 200_000 === 0 || runs === all) say(`Loading "${name}": ${runs} of ${all} runs`);
  };
  return { name, url, ...(await loadRuns({ url, plan, onProgress })) };
}

/** Writes go to copies, so that they do not change what is read. */
async function copyDatabase(server: string, original: Loaded, name: string): Promise<Loaded> {
  const admin = new pg.Client({ connectionString: databaseUrl(server, "postgres") });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${original.name}`);
  await admin.end();
  return { ...original, name, url: databaseUrl(server, name) };
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Starts a gateway of its own: all that differs is how much its database holds. */
async function serve(parts: Parts, org: Loaded, plan: LoadPlan): Promise<ReadTarget> {
  const port = await findFreePort();
  // Nothing listens there: none of the questions needs Temporal.
  const temporal = `127.0.0.1:${await findFreePort()}`;
  const env = { DATABASE_URL: org.url, TEMPORAL_ADDRESS: temporal, PORT: String(port) };
  const args = ["--enable-source-maps"];
  await parts.node({ kind: "gateway", main: GATEWAY_MAIN, env, args, label: org.name });
  return { port, key: org.key, runs: plan.runs, endMs: org.endMs, days: plan.days };
}
