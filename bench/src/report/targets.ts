import { toMarkdown } from "@truerun/dev/report/markdown";
import type { Sample } from "../measure/sample.ts";
import { type SystemName, TITLES } from "../systems/system.ts";
import { differenceOf, type Metric, ratioOf } from "./metrics.ts";
import { show } from "./result-table.ts";

/** What should be reached, as a ratio within one bench. */
interface Target {
  what: string;
  metric: Metric;
  of: readonly [SystemName, SystemName];
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

const TARGETS: readonly Target[] = [
  ...[16, 64].map((inFlight) => ({
    what: `accepted a second, no worker, ${inFlight} in flight`,
    metric: rate("accept", inFlight),
    of: ["service", "raw"] as const,
    wanted: { atLeast: 0.85 },
  })),
  {
    what: "p50 of accepting, no worker, alone",
    metric: p50("accept", 1),
    of: ["service", "raw"],
    wanted: { atMost: 1.3 },
  },
  ...[1, 16, 64].map((inFlight) => ({
    what: `accepted a second, worker busy, ${inFlight} in flight`,
    metric: rate("accept-busy", inFlight),
    of: ["service", "naive"] as const,
    wanted: { atLeast: 1.5 },
  })),
  ...(
    [
      ["service", "raw", 0.9],
      ["service", "naive", 1.3],
      ["local", "raw", 1.5],
      ["service", "untouched", 2],
      ["local", "untouched", 4],
    ] as const
  ).map(([system, to, atLeast]) => ({
    what: "runs to the end a second, 16 in flight",
    metric: rate("ends", 16),
    of: [system, to] as const,
    wanted: { atLeast },
  })),
  ...(
    [
      ["service", 0.4],
      ["local", 0.2],
    ] as const
  ).map(([system, atMost]) => ({
    what: "p50 of start → end, alone",
    metric: p50("ends", 1),
    of: [system, "untouched"] as const,
    wanted: { atMost },
  })),
  {
    what: "runs read a second",
    metric: rate("get", 16),
    of: ["service", "naive"],
    wanted: { atLeast: 3 },
  },
];

/** How much longer than raw Temporal's a lone run may take. */
const ALONE_MS = 10;

/** Each target with what was measured, as a Markdown table. */
export function toTargetTable(samples: readonly Sample[]): string {
  const rows = TARGETS.map(({ what, metric, of, wanted }) => {
    const [system, to] = of;
    const measured = ratioOf(samples, { metric, system }, { metric, system: to });
    const [sign, limit] = "atLeast" in wanted ? ["≥", wanted.atLeast] : ["≤", wanted.atMost];
    const isMet =
      measured !== null && ("atLeast" in wanted ? measured >= limit : measured <= limit);
    const whom = `${TITLES[system]} ÷ ${TITLES[to]}`;
    return [what, whom, `${sign} ${limit} ×`, show(measured, 2), verdict(measured, isMet)];
  });
  const head = ["target", "of", "wanted", "measured", ""];
  return toMarkdown([head, ...rows, aloneRow(samples), ...replayRows(samples)]);
}

function aloneRow(samples: readonly Sample[]): string[] {
  const metric = p50("ends", 1);
  const more = differenceOf(samples, { metric, system: "service" }, { metric, system: "raw" });
  const whom = `${TITLES.service} − ${TITLES.raw}`;
  const isMet = more !== null && more <= ALONE_MS;
  return [
    "p50 of start → end, alone",
    whom,
    `≤ ${ALONE_MS} ms`,
    show(more, 1),
    verdict(more, isMet),
  ];
}

/**
 * What a repeat costs compared with a read: the service's CPU, and how many are answered. The load works harder for a
 * repeat, which has a body, and shares the machine: that is in the latter alone.
 */
function replayRows(samples: readonly Sample[]): string[][] {
  const ratio = (value: Metric["value"]): number | null => {
    const of = (measure: Metric["measure"]) =>
      ({ metric: { measure, inFlight: 16, value }, system: "service" }) as const;
    return ratioOf(samples, of("replay"), of("get"));
  };
  const [cpu, often] = [ratio("cpuMs"), ratio("perSecond")];
  const isCheap = cpu !== null && cpu <= 1;
  const isOften = often !== null && often >= 1;
  const whom = TITLES.service;
  return [
    ["CPU of a replay ÷ of a read", whom, "≤ 1 ×", show(cpu, 2), verdict(cpu, isCheap)],
    ["replayed a second ÷ read a second", whom, "≥ 1 ×", show(often, 2), verdict(often, isOften)],
  ];
}

function verdict(measured: number | null, isMet: boolean): string {
  if (measured === null) return "not measured";
  return isMet ? "met" : "missed";
}
