import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { FOLD_BATCH, foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import { type Periodic, startPeriodic } from "../periodic.ts";
import type { WorkerMetrics } from "../worker-metrics.ts";

const INTERVAL_MS = 1_000;
/** Deleted changes that lists of runs may have to read past before their space is freed. */
const DEAD_ROWS = 5_000;

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
  let dead = 0;
  return startPeriodic({
    name: "run counts",
    intervalMs: INTERVAL_MS,
    logger,
    metrics,
    async pass() {
      const folded = await foldRunChanges(db);
      dead += folded;
      if (dead >= DEAD_ROWS) {
        // Reset first: after a failure the next one comes as late as after a success.
        dead = 0;
        // Autovacuum would come once a minute at most.
        await db.$executeRaw`VACUUM (SKIP_LOCKED) workflow_run_changes`;
      }
      return folded === FOLD_BATCH;
    },
  });
}
