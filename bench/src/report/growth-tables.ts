import { toMarkdown } from "@truerun/dev/report/markdown";
import type { GrowthPoint, Series } from "../scaling/growth.ts";
import { PART_KINDS } from "../systems/system.ts";
import { show } from "./result-table.ts";

/** What a run of the series is made of, where its costs can be divided by that. */
const UNITS: Readonly<Partial<Record<Series, string>>> = { steps: "a step", items: "an item" };

/** One series, as a Markdown table: a line for each size. */
export function toGrowthTable(points: readonly GrowthPoint[], series: Series): string {
  const unit = UNITS[series];
  const head = [
    series,
    "runs",
    "runs a second",
    "p50 ms",
    ...PART_KINDS.map((kind) => `${kind}, CPU ms a run`),
    "CPU ms a run",
    ...(unit === undefined ? [] : [`CPU ms ${unit}`]),
  ];
  const rows = of(points, series).map((point) => [
    String(point.at),
    String(point.runs),
    show(point.runsPerSecond),
    show(point.p50Ms),
    ...PART_KINDS.map((kind) => show(point.cpuMs?.[kind] ?? null)),
    show(cpuOf(point)),
    ...(unit === undefined ? [] : [show(cpuOfEach(point))]),
  ]);
  return toMarkdown([head, ...rows]);
}

/** The size that larger ones are compared with: in smaller ones the run itself costs more than what it is made of. */
const BASE = 10;
/** How many times as much each may cost in a larger run. */
const LINEAR = 1.1;

/** Whether a run's costs grow no faster than what it is made of. */
export function toLinearVerdict(points: readonly GrowthPoint[], series: Series): string {
  const own = of(points, series);
  const base = own.find(({ at }) => at === BASE);
  const larger = own.filter(({ at }) => at > BASE);
  const unit = UNITS[series] ?? series;
  if (base === undefined || larger.length === 0) return `Linear in ${series}: not measured.`;
  const factors = larger.map((point) => cpuOfEach(point) / cpuOfEach(base));
  const said = larger.map(({ at }, index) => `${show(factors[index] ?? null)} × with ${at}`);
  const isMet = factors.every((factor) => factor <= LINEAR);
  return `CPU of ${unit}, compared with a run of ${BASE}: ${said.join(", ")}; linear, which is at most ${LINEAR} ×: ${isMet ? "met" : "missed"}.`;
}

/** CPU of one run, in milliseconds; NaN where unknown. */
function cpuOf({ cpuMs }: GrowthPoint): number {
  if (cpuMs === null) return Number.NaN;
  return PART_KINDS.reduce((sum, kind) => sum + (cpuMs[kind] ?? 0), 0);
}

function cpuOfEach(point: GrowthPoint): number {
  return cpuOf(point) / point.at;
}

function of(points: readonly GrowthPoint[], series: Series): GrowthPoint[] {
  return points.filter((point) => point.series === series);
}
