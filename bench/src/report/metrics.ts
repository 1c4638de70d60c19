import { type Measure, MEASURES, type Sample } from "../measure/sample.ts";
import { median } from "../measure/statistics.ts";
import { PART_KINDS, type SystemName } from "../systems/system.ts";

/** One line of the table: a measurement, and which of its numbers is shown. */
export interface Metric {
  measure: Measure;
  inFlight: number;
  value: "perSecond" | "p50Ms" | "p99Ms" | "cpuMs";
}

/** The median over the rounds; null if it was not measured. */
export function valueOf(
  samples: readonly Sample[],
  metric: Metric,
  system: SystemName,
): number | null {
  const values = select(samples, metric, system).map((sample) => numberOf(sample, metric.value));
  return toNumber(median(values));
}

/** What one system was measured to do. */
export interface Figure {
  metric: Metric;
  system: SystemName;
}

/**
 * Two figures of the same rounds, in pairs: compared round by round, because whatever disturbs the machine in a
 * round disturbs both.
 */
function pairsOf(samples: readonly Sample[], one: Figure, other: Figure): [number, number][] {
  const others = select(samples, other.metric, other.system);
  const byRound = new Map(others.map((sample) => [sample.round, sample]));
  return select(samples, one.metric, one.system).flatMap((sample): [number, number][] => {
    const beside = byRound.get(sample.round);
    if (beside === undefined) return [];
    return [[numberOf(sample, one.metric.value), numberOf(beside, other.metric.value)]];
  });
}

/** How two figures of one round are compared. */
export type Comparison = "ratio" | "difference";

/** The rounds' ratios or differences, in no order; empty if the figures were not both measured. */
export function compareRounds(
  samples: readonly Sample[],
  comparison: Comparison,
  [one, other]: readonly [Figure, Figure],
): number[] {
  return pairsOf(samples, one, other)
    .map(([a, b]) => (comparison === "ratio" ? a / b : a - b))
    .filter(Number.isFinite);
}

/** The median of the rounds' ratios; null if they were not both measured. */
export function ratioOf(samples: readonly Sample[], one: Figure, other: Figure): number | null {
  return toNumber(median(compareRounds(samples, "ratio", [one, other])));
}

/** What was measured, in the order of the table. */
export function listMetrics(samples: readonly Sample[]): Metric[] {
  return MEASURES.flatMap((measure) => {
    const own = samples.filter((sample) => sample.measure === measure);
    const levels = [...new Set(own.map(({ inFlight }) => inFlight))].sort((a, b) => a - b);
    const all = ["perSecond", "p50Ms", "p99Ms", "cpuMs"] as const;
    // The CPU also worked through the backlog: what one more start cost cannot be told apart from that.
    const values = all.filter((value) => value !== "cpuMs" || measure !== "accept-busy");
    return values.flatMap((value) => levels.map((inFlight) => ({ measure, inFlight, value })));
  });
}

function select(samples: readonly Sample[], metric: Metric, system: SystemName): Sample[] {
  return samples.filter(
    (sample) =>
      sample.measure === metric.measure &&
      sample.inFlight === metric.inFlight &&
      sample.system === system,
  );
}

function numberOf(sample: Sample, value: Metric["value"]): number {
  if (value !== "cpuMs") return sample[value];
  if (sample.cpuMs === null) return Number.NaN;
  return PART_KINDS.reduce((sum, kind) => sum + (sample.cpuMs?.[kind] ?? 0), 0);
}

function toNumber(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
