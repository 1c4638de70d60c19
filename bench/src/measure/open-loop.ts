import { pause } from "@truerun/shared/pause";
export interface OpenLoopOptions {
  perSecond: number;
  durationMs: number;
  /** Whatever would exceed this is not sent, but counted. */
  maxInFlight: number;
  /** Must not reject. */
  once: () => Promise<void>;
}

/** How often those that are due are sent. */
const TICK_MS = 10;

/**
 * Starts `perSecond`, however long each takes: callers do not wait for each other.
 *
 * @returns how many were not sent because too many were in flight
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<number> {
  const { perSecond, durationMs, maxInFlight, once } = options;
  const underWay = new Set<Promise<void>>();
  const since = performance.now();
  let due = 0;
  let notSent = 0;
  for (;;) {
    const elapsed = performance.now() - since;
    if (elapsed >= durationMs) break;
    for (; due < (elapsed / 1_000) * perSecond; due++) {
      if (underWay.size >= maxInFlight) {
        notSent += 1;
        continue;
      }
      const one = once().finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await pause(TICK_MS);
  }
  await Promise.all(underWay);
  return notSent;
}
