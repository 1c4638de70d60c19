import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { FOLD_BATCH, foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import { type Periodic, startPeriodic } from "../periodic.ts";
import type { WorkerMetrics } from "../worker-metrics.ts";

export const COUNT_EVERY_MS = 1_000;
/** Deleted changes that lists of runs may have to read past before their space is freed. */
export const DEAD_CHANGES = 5_000;

export interface RunCountingOptions {
  /**
   * May answer before commits are on disk: a crash only undoes the adding up of changes, and these are then
   * there again.
   */
  db: Database;
  logger: Logger;
  metrics: Pick<WorkerMetrics, "passDuration">;
}

/**
 * Keeps the counts of runs nearly up to date, so that a list reads few changes. Every worker does it, one at
 * a time: the others find the lock taken.
 */
export function startRunCounting({ db, logger, metrics }: RunCountingOptions): Periodic {
  const count = createRunCountingPass(db);
  return startPeriodic({
    name: "run counts",
    intervalMs: COUNT_EVERY_MS,
    logger,
    metrics,
    pass: async () => (await count()) === FOLD_BATCH,
  });
}

/**
 * What is done once a second. It remembers how many changes it deleted: create one for each process.
 *
 * @returns a pass, which returns how many changes it added up
 */
export function createRunCountingPass(db: Database): () => Promise<number> {
  let dead = 0;
  return async () => {
    const folded = await foldRunChanges(db);
    dead += folded;
    if (dead >= DEAD_CHANGES) {
      // Reset first: after a failure the next one comes as late as after a success.
      dead = 0;
      // Autovacuum would come once a minute at most.
      await db.$executeRaw`VACUUM (SKIP_LOCKED) workflow_run_changes`;
    }
    return folded;
  };
}
