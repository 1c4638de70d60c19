import type { Sample } from "../measure/sample.ts";
import { PART_KINDS, SYSTEMS, TITLES } from "../systems/system.ts";
import { listMetrics, type Metric, valueOf } from "./metrics.ts";
import { cpuOf, show } from "./result-table.ts";
import { toBarChart } from "./svg.ts";

/** The file of each chart in `docs/performance/`. */
export function toPerformanceCharts(samples: readonly Sample[]): Record<string, string> {
  return {
    "runs.svg": byLevel(samples, "Runs to the end, a second", {
      measure: "ends",
      value: "perSecond",
    }),
    "latency.svg": byLevel(samples, "Start → end, p50, ms", { measure: "ends", value: "p50Ms" }),
    "accept.svg": byLevel(samples, "Starts accepted a second, without a worker", {
      measure: "accept",
      value: "perSecond",
    }),
    "cpu.svg": cpuChart(samples),
  };
}

function byLevel(
  samples: readonly Sample[],
  title: string,
  wanted: Pick<Metric, "measure" | "value">,
): string {
  const metrics = listMetrics(samples).filter(
    ({ measure, value }) => measure === wanted.measure && value === wanted.value,
  );
  const groups = metrics.map((metric) => ({
    title: `${metric.inFlight} in flight`,
    rows: SYSTEMS.flatMap((name) => {
      const value = valueOf(samples, metric, name);
      if (value === null) return [];
      return [{ label: TITLES[name], parts: [{ name: "", value }], text: show(value) }];
    }),
  }));
  return toBarChart({ title, groups });
}

function cpuChart(samples: readonly Sample[]): string {
  const own = samples.filter(({ measure, inFlight }) => measure === "ends" && inFlight === 16);
  const rows = SYSTEMS.filter((name) => own.some(({ system }) => system === name)).map((name) => {
    const parts = PART_KINDS.map((kind) => ({ name: kind, value: cpuOf(own, name, kind) ?? 0 }));
    const sum = parts.reduce((total, { value }) => total + value, 0);
    return { label: TITLES[name], parts, text: show(sum) };
  });
  return toBarChart({
    title: "CPU of a run by process, ms",
    groups: [{ title: "16 in flight", rows }],
  });
}
