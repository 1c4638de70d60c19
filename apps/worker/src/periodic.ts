import type { Logger } from "@truerun/shared/logger";
import { pause } from "@truerun/shared/pause";
import type { WorkerMetrics } from "./worker-metrics.ts";

export interface Periodic {
  /** Aborts the pass under way and waits for it; no other follows. */
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  name: string;
  intervalMs: number;
  logger: Logger;
  metrics: Pick<WorkerMetrics, "passDuration">;
  /** One pass. Returns whether there is more to do at once. Ends soon after its signal is aborted. */
  pass: (signal: AbortSignal) => Promise<boolean>;
}

/** Runs passes one after another until stopped, with jitter, so that processes do not run in step. */
export function startPeriodic(options: PeriodicOptions): Periodic {
  const { name, intervalMs, logger, metrics, pass } = options;
  const stopping = new AbortController();
  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const more = await pass(stopping.signal).catch((error: unknown) => {
        // The stop cut it short; a later pass does what is left.
        if (stopping.signal.aborted) logger.debug({ err: error }, `${name}: pass not finished`);
        else logger.warn({ err: error }, `${name}: pass failed; the next one tries again`);
        return false;
      });
      metrics.passDuration(name, (performance.now() - startedAt) / 1_000);
      if (!more) await pause(intervalMs * (0.75 + Math.random() / 2), stopping.signal);
    }
  }
  const done = loop();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
