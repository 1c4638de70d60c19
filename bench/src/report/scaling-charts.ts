import type { GrowthPoint, Series } from "../scaling/growth.ts";
import type { SoakResult } from "../scaling/soak.ts";
import { PART_KINDS, type PartKind } from "../systems/system.ts";
import { toLineChart } from "./svg.ts";

/** The charts of growth in `docs/scaling/`: for each group, their files. */
export function toGrowthCharts(points: readonly GrowthPoint[]) {
  const lineOf = (series: Series, toY: (point: GrowthPoint) => number) =>
    points
      .filter((point) => point.series === series)
      .map((point) => [point.at, toY(point)] as const);
  const rate = (series: Series, name: string, toY: (point: GrowthPoint) => number): string => {
    const lines = [{ name, points: lineOf(series, toY) }];
    const title = `${name}, by ${series}`;
    return toLineChart({ title, x: series, lines, isLogarithmic: true });
  };
  const cpu = (series: Series, title: string, toY: CpuOf = ofRun): string => {
    const lines = PART_KINDS.map((kind) => ({
      name: kind,
      points: lineOf(series, (point) => toY(point, kind)),
    }));
    return toLineChart({ title, x: series, lines, isLogarithmic: true });
  };
  const processes = (["gateways", "workers"] as const).map((series) => ({
    name: series,
    points: lineOf(series, toRate),
  }));
  return {
    processes: {
      "processes.svg": toLineChart({
        title: "Runs to the end a second, 64 in flight",
        x: "processes of the kind; one of the other",
        lines: processes,
      }),
      "gateways-cpu.svg": cpu("gateways", "CPU ms of a run, by gateways; one worker"),
      "workers-cpu.svg": cpu("workers", "CPU ms of a run, by workers; one gateway"),
    },
    steps: {
      "steps-rate.svg": rate("steps", "Steps to the end a second", toEach),
      "steps.svg": cpu("steps", "CPU ms of a step, by the steps of a run", ofEach),
    },
    input: {
      "input-rate.svg": rate("input bytes", "Runs to the end a second", toRate),
      "input.svg": cpu("input bytes", "CPU ms of a run, by the size of its input"),
    },
    items: {
      "items-rate.svg": rate("items", "Items to the end a second", toEach),
      "items.svg": cpu("items", "CPU ms of an item, by the items of a run", ofEach),
    },
  };
}

function toRate({ runsPerSecond }: GrowthPoint): number {
  return runsPerSecond;
}

/** Of what the run is made of. */
function toEach({ runsPerSecond, at }: GrowthPoint): number {
  return runsPerSecond * at;
}

type CpuOf = (point: GrowthPoint, kind: PartKind) => number;

function ofRun({ cpuMs }: GrowthPoint, kind: PartKind): number {
  return cpuMs?.[kind] ?? 0;
}

function ofEach(point: GrowthPoint, kind: PartKind): number {
  return ofRun(point, kind) / point.at;
}

export function toSoakCharts({ memory }: SoakResult): Record<string, string> {
  const lines = PART_KINDS.map((kind) => ({
    name: kind,
    points: memory.map(({ second, mb }) => [second, mb[kind] ?? 0] as const),
  }));
  return { "memory.svg": toLineChart({ title: "Memory, MB", x: "seconds", lines }) };
}
