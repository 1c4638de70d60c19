import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { pause } from "@truerun/shared/pause";
import { pingTemporal } from "@truerun/shared/temporal-deadline";
import { type Periodic, startPeriodic } from "../periodic.ts";
import type { WorkerMetrics } from "../worker-metrics.ts";
import { asLeader } from "./as-leader.ts";

export interface ReconcileLoop {
  name: string;
  intervalMs: number;
  /** Does a limited amount of work; returns whether there is more to do at once. */
  pass: (signal: AbortSignal) => Promise<boolean>;
}

export interface ReconcilerOptions {
  /** One connection is taken while this process leads. */
  db: Database;
  logger: Logger;
  metrics: Pick<WorkerMetrics, "passDuration">;
  /** What they remember may be outdated when the lead comes back to this process. */
  loops: readonly ReconcileLoop[];
  /** Asked whether Temporal answers this process. */
  client: Client;
}

/** How often a process that does not lead asks for the lead. */
const CONTEND_MS = 2_000;
/** How often a leader checks whether Temporal still answers. */
const LOOK_MS = 1_000;
/** How long Temporal may take to show that it is there. */
const PING_MS = 3_000;
/** How long a process without Temporal waits before it asks for the lead: others come first. */
const GIVE_WAY_MS = 3 * CONTEND_MS;

/**
 * Runs the reconciler's loops side by side whenever this process has the lead. A process that Temporal does not
 * answer leaves it to others; if none takes it, it leads now and then all the same, for what the loops report.
 */
export function startReconciler(options: ReconcilerOptions): Periodic {
  const { db, logger, metrics, loops, client } = options;
  return startPeriodic({
    name: "reconciler",
    intervalMs: CONTEND_MS,
    logger,
    // A term is not a pass; the loops measure theirs.
    metrics: { passDuration: () => undefined },
    pass: async (signal) => {
      if (!(await answers(client))) await pause(GIVE_WAY_MS, signal);
      return await asLeader({ db, name: "runs", signal }, async (term) => {
        const running = loops.map((loop) => startPeriodic({ ...loop, logger, metrics }));
        await pause(LOOK_MS, term);
        while (!term.aborted && (await answers(client))) await pause(LOOK_MS, term);
        await Promise.all(running.map((loop) => loop.stop()));
      });
    },
  });
}

async function answers({ connection }: Client): Promise<boolean> {
  try {
    await pingTemporal(connection, PING_MS);
    return true;
  } catch {
    return false;
  }
}
