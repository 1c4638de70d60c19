import type { GrowthPoint, Series } from "../scaling/growth.ts";
import type { SoakResult } from "../scaling/soak.ts";
import { PART_KINDS } from "../systems/system.ts";
import { toLineChart } from "./svg.ts";

/** The file of each chart in `docs/scaling/`. */
export function toGrowthCharts(points: readonly GrowthPoint[]): Record<string, string> {
  const of = (series: Series): GrowthPoint[] => points.filter((point) => point.series === series);
  const throughput = (series: Series): readonly (readonly [number, number])[] =>
    of(series).map(({ at, runsPerSecond }) => [at, runsPerSecond]);
  const cpuBy = (series: Series) =>
    PART_KINDS.map((kind) => ({
      name: kind,
      points: of(series).map(({ at, cpuMs }) => [at, cpuMs?.[kind] ?? 0] as const),
    }));
  const cpu = (series: Series, title: string): string =>
    toLineChart({ title, x: series, lines: cpuBy(series), isLogarithmic: true });
  return {
    "processes.svg": toLineChart({
      title: "Runs to the end a second, 64 in flight",
      x: "processes of the kind; one of the other",
      lines: (["gateways", "workers"] as const).map((series) => ({
        name: series,
        points: throughput(series),
      })),
    }),
    "steps.svg": cpu("steps", "CPU ms of a run, by its steps"),
    "input.svg": cpu("input bytes", "CPU ms of a run, by the size of its input"),
    "items.svg": cpu("items", "CPU ms of a run, by its items at once"),
  };
}

export function toSoakCharts({ memory }: SoakResult): Record<string, string> {
  const lines = PART_KINDS.map((kind) => ({
    name: kind,
    points: memory.map(({ second, mb }) => [second, mb[kind] ?? 0] as const),
  }));
  return { "memory.svg": toLineChart({ title: "Memory, MB", x: "seconds", lines }) };
}
