import { toMarkdown } from "@truerun/dev/report/markdown";
import type { Sample } from "../measure/sample.ts";
import { median } from "../measure/statistics.ts";
import { type SystemName, TITLES } from "../systems/system.ts";
import { compareRounds, type Comparison, type Figure, type Metric } from "./metrics.ts";
import { show } from "./result-table.ts";

/** What should be reached, within one bench. */
interface Target {
  what: string;
  /** Whose figures they are. */
  of: string;
  comparison: Comparison;
  figures: readonly [Figure, Figure];
  wanted: { atLeast: number } | { atMost: number };
}

const rate = (measure: Metric["measure"], inFlight: number): Metric => ({
  measure,
  inFlight,
  value: "perSecond",
});
const p50 = (measure: Metric["measure"], inFlight: number): Metric => ({
  measure,
  inFlight,
  value: "p50Ms",
});

type Pair = readonly [SystemName, SystemName];

type Compared = Pick<Target, "of" | "comparison" | "figures">;

/** The same figure of two systems. */
function systems([system, to]: Pair, metric: Metric): Compared {
  const figures = [
    { metric, system },
    { metric, system: to },
  ] as const;
  return { of: `${TITLES[system]} ÷ ${TITLES[to]}`, comparison: "ratio", figures };
}

/** What a repeat costs, compared with a read. */
function replayToRead(value: Metric["value"]): Compared {
  const of = (measure: Metric["measure"]): Figure => ({
    metric: { measure, inFlight: 16, value },
    system: "service",
  });
  return { of: TITLES.service, comparison: "ratio", figures: [of("replay"), of("get")] };
}

const ENDS: readonly (readonly [...Pair, number])[] = [
  ["service", "raw", 0.9],
  ["service", "naive", 1.3],
  ["local", "raw", 1.5],
  ["service", "untouched", 2],
  ["local", "untouched", 4],
];
const ALONE: readonly (readonly [...Pair, number])[] = [
  ["service", "untouched", 0.4],
  ["local", "untouched", 0.2],
];
const ALONE_TITLE = "p50 of start → end, alone";

const TARGETS: readonly Target[] = [
  ...[16, 64].map((inFlight) => ({
    what: `accepted a second, no worker, ${inFlight} in flight`,
    ...systems(["service", "raw"], rate("accept", inFlight)),
    wanted: { atLeast: 0.85 },
  })),
  {
    what: "p50 of accepting, no worker, alone",
    ...systems(["service", "raw"], p50("accept", 1)),
    wanted: { atMost: 1.3 },
  },
  ...[1, 16, 64].map((inFlight) => ({
    what: `accepted a second, worker busy, ${inFlight} in flight`,
    ...systems(["service", "naive"], rate("accept-busy", inFlight)),
    wanted: { atLeast: 1.5 },
  })),
  ...ENDS.map(([system, to, atLeast]) => ({
    what: "runs to the end a second, 16 in flight",
    ...systems([system, to], rate("ends", 16)),
    wanted: { atLeast },
  })),
  ...ALONE.map(([system, to, atMost]) => ({
    what: ALONE_TITLE,
    ...systems([system, to], p50("ends", 1)),
    wanted: { atMost },
  })),
  {
    what: ALONE_TITLE,
    ...systems(["service", "raw"], p50("ends", 1)),
    of: `${TITLES.service} − ${TITLES.raw}`,
    comparison: "difference",
    wanted: { atMost: 10 },
  },
  {
    what: "runs read a second",
    ...systems(["service", "naive"], rate("get", 16)),
    wanted: { atLeast: 3 },
  },
  { what: "CPU of a replay ÷ of a read", ...replayToRead("cpuMs"), wanted: { atMost: 1 } },
  // The load works harder for a repeat, which has a body, and shares the machine: that is in this one alone.
  {
    what: "replayed a second ÷ read a second",
    ...replayToRead("perSecond"),
    wanted: { atLeast: 1 },
  },
];

/** Each target with the median of the rounds, the rounds between which it lies, and a verdict on the median. */
export function toTargetTable(samples: readonly Sample[]): string {
  const rows = TARGETS.map(({ what, of, comparison, figures, wanted }) => {
    const rounds = compareRounds(samples, comparison, figures);
    const [unit, digits] = comparison === "ratio" ? (["×", 2] as const) : (["ms", 1] as const);
    const [sign, limit] = "atLeast" in wanted ? ["≥", wanted.atLeast] : ["≤", wanted.atMost];
    const measured = median(rounds);
    const spread =
      rounds.length === 0
        ? show(null)
        : `${show(Math.min(...rounds), digits)} to ${show(Math.max(...rounds), digits)}`;
    const wantedText = `${sign} ${limit} ${unit}`;
    return [what, of, wantedText, show(measured, digits), spread, verdict(measured, wanted)];
  });
  return toMarkdown([["target", "of", "wanted", "measured", "rounds", ""], ...rows]);
}

function verdict(measured: number, wanted: Target["wanted"]): string {
  if (Number.isNaN(measured)) return "not measured";
  const isMet = "atLeast" in wanted ? measured >= wanted.atLeast : measured <= wanted.atMost;
  return isMet ? "met" : "missed";
}
