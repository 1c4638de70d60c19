import { toMarkdown } from "@truerun/dev/report/markdown";
import type { Measure, Sample } from "../measure/sample.ts";
import { type PartKind, PART_KINDS, SYSTEMS, type SystemName, TITLES } from "../systems/system.ts";
import { listMetrics, type Metric, ratioOf, valueOf } from "./metrics.ts";
import { median } from "../measure/statistics.ts";

const MEASURED: Readonly<Record<Measure, string>> = {
  accept: "accept, no worker",
  "accept-busy": "accept, worker busy",
  ends: "runs to the end",
  get: "get run",
  replay: "replayed POST",
};

const RATIOS = [
  ["service", "raw"],
  ["service", "naive"],
  ["local", "raw"],
  ["local", "raw-local"],
] as const satisfies readonly (readonly [SystemName, SystemName])[];

/** Everything that was compared, as a Markdown table: a column per system, then the ratios. */
export function toResultTable(samples: readonly Sample[]): string {
  const systems = SYSTEMS.filter((name) => samples.some(({ system }) => system === name));
  const ratios = RATIOS.filter((pair) => pair.every((name) => systems.includes(name)));
  const head = [
    "what (in flight)",
    ...systems.map((name) => TITLES[name]),
    ...ratios.map(([system, to]) => `${TITLES[system]} ÷ ${TITLES[to]}`),
  ];
  const rows = listMetrics(samples).map((metric) => [
    describe(metric),
    ...systems.map((name) => show(valueOf(samples, metric, name))),
    ...ratios.map(([system, to]) =>
      show(ratioOf(samples, { metric, system }, { metric, system: to }), 2),
    ),
  ]);
  return toMarkdown([head, ...rows]);
}

/** What a run to the end costs each process, in milliseconds of CPU. */
export function toCpuTable(samples: readonly Sample[], inFlight: number): string {
  const own = samples.filter((sample) => sample.measure === "ends" && sample.inFlight === inFlight);
  const systems = SYSTEMS.filter((name) => own.some(({ system }) => system === name));
  const rows = systems.map((name) => [
    TITLES[name],
    ...PART_KINDS.map((kind) => show(cpuOf(own, name, kind))),
  ]);
  return toMarkdown([[`CPU ms a run, ${inFlight} in flight`, ...PART_KINDS], ...rows]);
}

/** The median over the rounds of what one kind of process used for one run. */
export function cpuOf(
  samples: readonly Sample[],
  system: SystemName,
  kind: PartKind,
): number | null {
  const values = samples
    .filter((sample) => sample.system === system)
    .flatMap(({ cpuMs }) => cpuMs?.[kind] ?? []);
  return values.length === 0 ? null : median(values);
}

const UNITS: Readonly<Record<Metric["value"], string>> = {
  perSecond: "a second",
  p50Ms: "p50 ms",
  p99Ms: "p99 ms",
  cpuMs: "CPU ms each",
};

function describe({ measure, inFlight, value }: Metric): string {
  return `${MEASURED[measure]}: ${UNITS[value]} (${inFlight})`;
}

/** With no more digits than are meaningful. */
export function show(value: number | null, digits?: number): string {
  if (value === null || Number.isNaN(value)) return "–";
  if (digits !== undefined) return value.toFixed(digits);
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
