import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { type Periodic, startPeriodic } from "../periodic.ts";
import type { WorkerMetrics } from "../worker-metrics.ts";
import { asLeader } from "./as-leader.ts";

/** One of the reconciler's loops. */
export interface ReconcileLoop {
  name: string;
  intervalMs: number;
  /** Does so much at most; returns whether there is more to do at once. */
  pass: (signal: AbortSignal) => Promise<boolean>;
}

export interface ReconcilerOptions {
  /** One connection is taken while this process leads. */
  db: Database;
  logger: Logger;
  metrics: Pick<WorkerMetrics, "passDuration">;
  /** What they remember may be old when the lead comes back to this process. */
  loops: readonly ReconcileLoop[];
}

/** How often a process that does not lead asks for the lead. */
const CONTEND_MS = 2_000;

/** Runs the reconciler's loops side by side whenever this process has the lead. */
export function startReconciler({ db, logger, metrics, loops }: ReconcilerOptions): Periodic {
  return startPeriodic({
    name: "reconciler",
    intervalMs: CONTEND_MS,
    logger,
    // A term is no pass; the loops' own are measured.
    metrics: { passDuration: () => undefined },
    pass: async (signal) =>
      await asLeader({ db, name: "runs", signal }, async (term) => {
        const running = loops.map((loop) => startPeriodic({ ...loop, logger, metrics }));
        await untilAborted(term);
        await Promise.all(running.map((loop) => loop.stop()));
      }),
  });
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
