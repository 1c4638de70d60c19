import { createRandom } from "../plan/random.ts";
import type { Shape } from "./shape.ts";
import { SHAPES } from "./shapes.ts";

/** A run that is to be started. */
export interface LoadItem {
  /** In the run's input: tells whose row it is if the caller got no answer. */
  id: string;
  shape: Shape;
  /** Null: without an Idempotency-Key. */
  key: string | null;
  /** Which gateway is asked first. */
  gateway: number;
  /** Whether the same request is sent again after its answer. */
  isRepeated: boolean;
  /** From the start of the load. */
  atMs: number;
}

const WITH_KEY = 0.6;
const REPEATED = 0.3;

/** The load of a seed, in order of time: spread evenly, its shapes picked by weight. */
export function planLoad(options: { seed: number; durationMs: number; runs: number }): LoadItem[] {
  const { seed, durationMs, runs } = options;
  // Other random numbers than the faults': more runs do not change the faults.
  const random = createRandom(seed ^ 0x10ad);
  const cards = SHAPES.flatMap((shape) => Array.from({ length: shape.weight }, () => shape));
  return Array.from({ length: runs }, (_, index): LoadItem => {
    const hasKey = random.chance(WITH_KEY);
    return {
      id: `load-${seed}-${index}`,
      shape: random.pick(cards),
      key: hasKey ? `key-${seed}-${index}` : null,
      gateway: random.int(0, 1),
      isRepeated: hasKey && random.chance(REPEATED),
      atMs: Math.round((durationMs * (index + random.next())) / runs),
    };
  });
}
