// Looks in turn at the runs whose end is not confirmed: whether they went on without their rows, were
// reset, wait in vain, are stuck, or are gone.
import type { Client, WorkflowExecutionDescription } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { describeExecution, isClosed } from "@truerun/shared/describe-execution";
import { hasWorkflowTask, openBatches } from "../mirror/inspect-run.ts";
import { readRunRows } from "../mirror/run-rows.ts";
import { RUNS_AT_A_TIME, forEachRun } from "./for-each-run.ts";
import { endLostRun, findNamespaceSince } from "./lost-runs.ts";
import { type ReconcileOptions, repairRun } from "./repair-run.ts";
import { RoundMemory } from "./round-memory.ts";
import { createStuckRuns } from "./stuck-runs.ts";
import { createUntoldEnds } from "./untold-ends.ts";

/** A row that may not say what its run is. */
interface OpenRun {
  id: string;
  temporal_run_id: string | null;
  status: string;
  projected_length: number;
  dispatched_at: Date;
}

/** Rows that a pass looks at. Each costs Temporal a call. */
const BATCH = 100;
/**
 * The share of the time that looks may take. Normally Temporal answers one in a millisecond or two, which needs no
 * rest; when it is busy, a look takes twenty times as long. With 3,000 runs queued, five looks a second instead of
 * a hundred gave 13 % more runs.
 */
const LOOKING_SHARE = 0.2;
/** How soon all of them are looked at again when they are few. */
const ROUND_MS = 10_000;
/** What was written, or dispatched, this recently is left to the mirror. */
const REST_SECONDS = 4;
/** Temporal must say twice, this far apart, that it does not know a run. */
const GONE_TWICE_MS = 5_000;

/** Other times than the usual ones, for tests. */
interface OpenRunsTimes {
  roundMs?: number;
  goneTwiceMs?: number;
  untoldMs?: number;
}

/**
 * A loop that goes round all rows without a confirmed end. It remembers where it is, and which runs were
 * missing: create one for each process.
 *
 * @returns a pass. It never has more to do at once: looking can wait, and Temporal is to be spared
 */
export function createOpenRunsPass(
  options: ReconcileOptions,
  { roundMs = ROUND_MS, goneTwiceMs = GONE_TWICE_MS, untoldMs }: OpenRunsTimes = {},
): () => Promise<boolean> {
  const { db, client, logger, metrics } = options;
  const stuck = createStuckRuns({ logger, metrics });
  const untold = createUntoldEnds({ client, logger, untoldMs });
  const missing = createMissing(options, goneTwiceMs);
  const batchesOf = new RoundMemory<string>();
  let after = "";
  let nextRoundAt = 0;
  const pace = createPace(roundMs);

  async function look(run: OpenRun): Promise<void> {
    const execution = await pace.timed(() => describeExecution(client, run.id));
    if (execution === null) return await missing.endIfGone(run);
    missing.isHere(run);
    stuck.see(run.id, execution);
    if (await pace.timed(() => untold.see(execution))) return;
    // Before the run is compared: what its batches do meanwhile is seen the next time.
    const batches = await pace.timed(() => readBatches(client, execution));
    if (isUnchanged(run, execution, batches === (batchesOf.get(run.id) ?? ""))) return;
    const found = await repairRun(options, run.id);
    if (found?.kind !== "equal") return;
    if (batches !== "") batchesOf.set(run.id, batches);
    await noteLength(db, run, found.projection.historyLength);
  }

  return async () => {
    if (pace.isResting()) return false;
    if (after === "") {
      if (performance.now() < nextRoundAt) return false;
      nextRoundAt = performance.now() + roundMs;
      // The namespace must be known before the first run is missed.
      await findNamespaceSince(db, client);
      stuck.beginRound();
      for (const memory of [untold, missing, batchesOf]) memory.beginRound();
    }
    const runs = await findOpenRuns(db, after, stuck.ids);
    await forEachRun(options, runs, look);
    pace.rest();
    after = runs.length < BATCH ? "" : (runs.at(-1)?.id ?? "");
    if (after === "") stuck.endRound();
    return false;
  };
}

/** Ends runs that Temporal does not have any more. */
function createMissing({ db, client, logger, metrics }: ReconcileOptions, goneTwiceMs: number) {
  const missingSince = new RoundMemory<number>();
  return {
    beginRound: () => missingSince.beginRound(),
    isHere({ id }: OpenRun) {
      missingSince.delete(id);
    },
    /** A single answer may come from a server that is just starting, or was just failed over to. */
    async endIfGone(run: OpenRun): Promise<void> {
      const since = missingSince.get(run.id) ?? performance.now();
      missingSince.set(run.id, since);
      if (performance.now() - since < goneTwiceMs) return;
      missingSince.delete(run.id);
      if ((await findNamespaceSince(db, client)) > run.dispatched_at) {
        throw new Error(
          "Temporal does not have it, but has another namespace than it was started in",
        );
      }
      const rows = await readRunRows(db, run.id);
      if (rows === null || !(await endLostRun(db, rows))) return;
      metrics.repaired("lost");
      logger.warn({ workflowRunId: run.id }, "Temporal does not have the run any more");
    },
  };
}

/** Lets looks take their share of the time, and no more. @param mostMs - the longest rest */
function createPace(mostMs: number) {
  let lookedMs = 0;
  let restUntil = 0;
  return {
    isResting: () => performance.now() < restUntil,
    async timed<T>(look: () => Promise<T>): Promise<T> {
      const since = performance.now();
      const seen = await look();
      lookedMs += performance.now() - since;
      return seen;
    },
    rest() {
      const restMs = (lookedMs / RUNS_AT_A_TIME) * (1 / LOOKING_SHARE - 1);
      restUntil = performance.now() + Math.min(restMs, mostMs);
      lookedMs = 0;
    },
  };
}

/** @param stuck - these write at each try of their failing task: they are looked at though they are not at rest */
async function findOpenRuns(
  db: Database,
  after: string,
  stuck: readonly string[],
): Promise<OpenRun[]> {
  return await db.$queryRaw<OpenRun[]>`
    SELECT id, temporal_run_id, status, projected_length, dispatched_at
      FROM workflow_runs AS run
     WHERE confirmed_at IS NULL AND id > ${after}
       AND dispatched_at < now() - make_interval(secs => ${REST_SECONDS})
       AND (id = ANY(${stuck}) OR NOT EXISTS (
         SELECT FROM workflow_run_steps AS step
          WHERE step.run_id = run.id
            AND step.updated_at > now() - make_interval(secs => ${REST_SECONDS})))
     ORDER BY id LIMIT ${BATCH}`;
}

/** Whether the rows need not be compared: the history is as long as when they last were, or is about to grow. */
function isUnchanged(
  run: OpenRun,
  execution: WorkflowExecutionDescription,
  areBatchesSame: boolean,
): boolean {
  const isSame = run.temporal_run_id === execution.runId && run.status === "started";
  if (!isSame || isClosed(execution)) return false;
  if (hasWorkflowTask(execution)) return true;
  // A run in batches goes on while its own history stands still.
  return execution.historyLength === run.projected_length && areBatchesSame;
}

/** What a run's open batches are like: two equal texts say that nothing has happened in them. */
async function readBatches(
  client: Client,
  execution: WorkflowExecutionDescription,
): Promise<string> {
  const batches: string[] = [];
  for (const id of openBatches(execution)) {
    const batch = await describeExecution(client, id);
    batches.push(`${batch?.runId ?? ""} ${batch?.historyLength ?? 0}`);
  }
  return batches.join("\n");
}

async function noteLength(db: Database, run: OpenRun, length: number): Promise<void> {
  await db.workflowRun.updateMany({
    where: { id: run.id, temporalRunId: run.temporal_run_id, confirmedAt: null },
    data: { projectedLength: length },
  });
}
