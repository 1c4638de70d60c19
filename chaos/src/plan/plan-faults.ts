import {
  type Fault,
  FAULT_KINDS,
  LINK_FAULTS,
  LINKS,
  OPERATOR_ACTS,
  PART_FAULTS,
  PARTS,
} from "./fault.ts";
import { createDeck, createRandom, type Random } from "./random.ts";

export interface FaultPlanOptions {
  seed: number;
  /** How long the load lasts. */
  durationMs: number;
  count: number;
}

const MIN_HOLD_MS = 1_000;
const MAX_HOLD_MS = 20_000;

/**
 * The faults of a seed, in order of time. Every kind comes up equally often, and so does every target of a
 * kind; when, for how long and on what is random.
 */
export function planFaults({ seed, durationMs, count }: FaultPlanOptions): Fault[] {
  const random = createRandom(seed);
  const deal = createDealers(random);
  // In a short load, long holds would leave no time between them.
  const longest = Math.max(2 * MIN_HOLD_MS, Math.min(MAX_HOLD_MS, durationMs / 6));
  const nextKind = createDeck(random, FAULT_KINDS);
  return Array.from({ length: count }, (): Fault => {
    const atMs = Math.round(durationMs * (0.05 + 0.9 * random.next()));
    return { ...deal[nextKind()](), atMs, ...holdOf(random, longest) };
  })
    .map((fault) => (isInstant(fault) ? { ...fault, holdMs: 0 } : fault))
    .sort((a, b) => a.atMs - b.atMs);
}

function holdOf(random: Random, longest: number): { holdMs: number } {
  return { holdMs: random.int(MIN_HOLD_MS, Math.floor(longest)) };
}

/** What is over by itself: a part is back as soon as it has started, an operator's act takes no time. */
function isInstant({ kind }: Fault): boolean {
  return kind !== "pause" && !LINK_FAULTS.some((each) => each === kind);
}

type Dealt<F> = F extends unknown ? Omit<F, "atMs" | "holdMs"> : never;

function createDealers(random: Random): Record<Fault["kind"], () => Dealt<Fault>> {
  const parts = PART_FAULTS.map((kind) => {
    const target = createDeck(random, PARTS);
    return [kind, () => ({ kind, target: target() })] as const;
  });
  const links = LINK_FAULTS.map((kind) => {
    const target = createDeck(random, LINKS);
    return [kind, () => ({ kind, target: target(), delayMs: random.int(50, 500) })] as const;
  });
  const acts = OPERATOR_ACTS.map(
    (kind) => [kind, () => ({ kind, target: random.next(), point: random.next() })] as const,
  );
  return Object.fromEntries([...parts, ...links, ...acts]) as Record<
    Fault["kind"],
    () => Dealt<Fault>
  >;
}
