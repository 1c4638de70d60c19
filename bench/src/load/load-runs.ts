import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pause } from "@truerun/shared/pause";
import { createDatabase, type Database } from "@truerun/shared/db";
import { foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import {
  RUN_COPY,
  type RunPlace,
  STEP_COPY,
  toRunId,
  toRunLine,
  toStepLine,
} from "./copy-lines.ts";
import { createKey, createOrgs, type Org } from "./create-orgs.ts";
import { definitionName, type LoadPlan } from "./load-plan.ts";
import { type PlannedRun, planRuns } from "./planned-runs.ts";

export interface LoadOptions {
  /** `postgresql://...` of a database with all tables. */
  url: string;
  plan: LoadPlan;
  /** Called now and then with the runs loaded so far. */
  onProgress: (runs: number) => void;
}

export interface LoadedOrg {
  orgId: string;
  /** A key of the org, in plain text. */
  key: string;
  /** No run started later than this; unix ms. */
  endMs: number;
}

/** Runs that are copied in one transaction. */
const CHUNK = 20_000;
const AGAIN_MS = 100;

/**
 * Copies a plan's runs and steps into the tables, bypassing the service but not its counts, and leaves the
 * tables as they would be at rest: changes added up, statistics gathered.
 */
export async function loadRuns({ url, plan, onProgress }: LoadOptions): Promise<LoadedOrg> {
  const db = createDatabase({
    url,
    poolSize: 4,
    applicationName: "truerun-load",
    statementTimeoutMs: 600_000,
    synchronousCommit: false,
  });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const orgs = await createOrgs(db, plan);
    const endMs = Date.now();
    let loaded = 0;
    for (const chunk of inChunks(planRuns(plan, endMs))) {
      await copyChunk(client, orgs, chunk);
      await addUp(db);
      loaded += chunk.length;
      onProgress(loaded);
    }
    await client.query(
      "VACUUM (ANALYZE) workflow_runs, workflow_run_steps, workflow_run_counts, workflow_run_changes",
    );
    return { orgId: orgs[0]?.orgId ?? "", key: await createKey(db, orgs[0]?.orgId ?? ""), endMs };
  } finally {
    await client.end();
    await db.$disconnect();
  }
}

function* inChunks(runs: Iterable<PlannedRun>): Generator<PlannedRun[]> {
  let chunk: PlannedRun[] = [];
  for (const run of runs) {
    chunk.push(run);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function copyChunk(
  client: pg.Client,
  orgs: readonly Org[],
  chunk: readonly PlannedRun[],
): Promise<void> {
  const withIds = chunk.map((run) => ({ run, id: toRunId(run) }));
  const runs = withIds.map(({ run, id }) => toRunLine(run, toPlace(orgs, run), id));
  await pipeline(Readable.from(runs), client.query(copyFrom(RUN_COPY)));
  const steps = withIds.flatMap(({ run, id }) =>
    Array.from({ length: run.steps }, (_, index) => toStepLine(run, id, index + 1)),
  );
  await pipeline(Readable.from(steps), client.query(copyFrom(STEP_COPY)));
}

function toPlace(orgs: readonly Org[], run: PlannedRun): RunPlace {
  const org = orgs[run.org];
  const definitionId = org?.definitionIds[run.definition];
  if (org === undefined || definitionId === undefined) throw new Error("The plan has no such org");
  return { orgId: org.orgId, definitionId, name: definitionName(run.definition) };
}

/** A worker may be adding up too; this then waits until it is done. */
async function addUp(db: Database): Promise<void> {
  for (;;) {
    if ((await foldRunChanges(db)) > 0) continue;
    const [waiting] = await db.$queryRaw<{ any: boolean }[]>`
      SELECT EXISTS (SELECT FROM workflow_run_changes) AS any`;
    if (waiting?.any !== true) return;
    await pause(AGAIN_MS);
  }
}
