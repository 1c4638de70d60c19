import { createDispatchMarks, type DispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import { createDispatcher } from "@truerun/shared/dispatch/dispatcher";
import { measureDispatches } from "@truerun/shared/dispatch/measure-dispatches";
import type { Logger } from "@truerun/shared/logger";
import type { WorkerConfig } from "./config.ts";
import { deleteExpiredKeys } from "./dispatch/delete-expired-keys.ts";
import { endUnstartedChildren } from "./dispatch/end-unstarted-children.ts";
import { redispatchRuns } from "./dispatch/redispatch-runs.ts";
import type { Replayer } from "./mirror/replay-history.ts";
import type { Stores } from "./open-stores.ts";
import { type Periodic, startPeriodic } from "./periodic.ts";
import { type CatalogueOptions, createCataloguePass } from "./publish-catalogue.ts";
import { createReconcileLoops } from "./reconcile/reconcile-loops.ts";
import { startReconciler } from "./reconcile/start-reconciler.ts";
import { startRunCounting } from "./run-counts/count-runs.ts";
import type { WorkerMetricsRegistry } from "./worker-metrics.ts";

const SWEEP_INTERVAL_MS = 1_000;
const HOUSEKEEPING_INTERVAL_MS = 60_000;

export interface LoopsOptions
  extends Pick<Stores, "db" | "mirrorDb" | "client" | "bounded">,
    CatalogueOptions {
  config: WorkerConfig;
  replayer: Replayer;
  logger: Logger;
  metrics: WorkerMetricsRegistry;
}

/**
 * Starts what a worker does besides Temporal's tasks, each part in a loop of its own.
 *
 * @returns all of it, to be stopped at once; then the marks of dispatches that are still held are committed
 */
export function startLoops(options: LoopsOptions): Periodic {
  const { db, mirrorDb, logger, metrics } = options;
  const marks = createDispatchMarks({ db, logger });
  const loops = [
    ...startSweeper(options, marks),
    startBoundedReconciler(options),
    startRunCounting({ db: mirrorDb, logger, metrics }),
    startPeriodic({
      name: "housekeeping",
      intervalMs: HOUSEKEEPING_INTERVAL_MS,
      logger,
      metrics,
      pass: () => deleteExpiredKeys(db),
    }),
    startPeriodic({
      name: "catalogue",
      intervalMs: HOUSEKEEPING_INTERVAL_MS,
      logger,
      metrics,
      pass: createCataloguePass(options),
    }),
  ];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await marks.close();
    },
  };
}

/** Dispatches what gateways could not, and ends child runs that nobody will start any more. */
function startSweeper(options: LoopsOptions, marks: DispatchMarks): Periodic[] {
  const { config, db, client, bounded, logger, metrics } = options;
  const common = { intervalMs: SWEEP_INTERVAL_MS, logger, metrics };
  const dispatcher = measureDispatches(
    createDispatcher({
      client,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      deadlineMs: config.DISPATCH_DEADLINE_MS,
      logger,
    }),
    metrics.registry,
  );
  return [
    startPeriodic({
      ...common,
      name: "redispatch",
      pass: (signal) =>
        bounded(signal, () => redispatchRuns({ db, client, dispatcher, marks, logger })),
    }),
    startPeriodic({
      ...common,
      name: "unstarted children",
      pass: (signal) => bounded(signal, () => endUnstartedChildren({ db, client, marks, logger })),
    }),
  ];
}

function startBoundedReconciler(options: LoopsOptions): Periodic {
  const { mirrorDb: db, client, bounded, replayer, logger, metrics } = options;
  const loops = createReconcileLoops({ db, client, replayer, logger, metrics });
  return startReconciler({
    db,
    client,
    logger,
    metrics,
    loops: loops.map((loop) => ({
      ...loop,
      pass: (signal) => bounded(signal, () => loop.pass(signal)),
    })),
  });
}
