import type { SystemName } from "../systems/system.ts";
import type { LoopResult } from "./closed-loop.ts";
import type { PerPart } from "./process-use.ts";
import { percentile } from "./statistics.ts";

/** What is measured. `accept-busy` is `accept` while workers have more to do than they can handle. */
export const MEASURES = ["accept", "accept-busy", "ends", "get", "replay"] as const;
export type Measure = (typeof MEASURES)[number];

/** One measurement of one system in one round. */
export interface Sample {
  round: number;
  measure: Measure;
  system: SystemName;
  inFlight: number;
  count: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU time per run or request, by kind of process; null where unknown. */
  cpuMs: PerPart | null;
}

/** What was measured, without the result. */
export type SampleKey = Pick<Sample, "round" | "measure" | "system" | "inFlight">;

export function toSample(key: SampleKey, loop: LoopResult, cpuMs: PerPart | null): Sample {
  return {
    ...key,
    count: loop.count,
    perSecond: loop.perSecond,
    p50Ms: percentile(loop.latencies, 50),
    p99Ms: percentile(loop.latencies, 99),
    cpuMs,
  };
}
