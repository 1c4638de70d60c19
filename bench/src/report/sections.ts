import { toPerformanceCharts } from "./performance-charts.ts";
import { toReadsTable } from "./reads-table.ts";
import { toGrowthTable, toLinearVerdict } from "./growth-tables.ts";
import { toPaperTable } from "./paper-table.ts";
import { toCpuTable, toResultTable } from "./result-table.ts";
import type { Provenance } from "./provenance.ts";
import type { Results } from "./results-file.ts";
import { toGrowthCharts, toSoakCharts } from "./scaling-charts.ts";
import { toFairnessTable, toOverloadTable, toSoakTable } from "./scaling-tables.ts";
import { toTargetTable } from "./targets.ts";

/** What is shown of one part of the results, and where in the documentation. */
export interface Section {
  /** The name in its markers. */
  name: string;
  /** Page below `docs/`, and the folder of its charts. */
  page: "performance" | "scaling";
  /** Null: that of the section before it. */
  provenance: Provenance | null;
  tables: string[];
  /** SVG text by file name. */
  charts: Record<string, string>;
}

/** The number in flight for which CPU is shown by process. */
const CPU_IN_FLIGHT = 16;

export function toSections(results: Results): Section[] {
  const { compare, reads, growth, fairness, overload, soak } = results;
  const sections: Section[] = [];
  if (compare !== undefined) {
    const { samples } = compare;
    sections.push({
      name: "compare",
      page: "performance",
      provenance: compare,
      tables: [toResultTable(samples), toCpuTable(samples, CPU_IN_FLIGHT), toTargetTable(samples)],
      charts: toPerformanceCharts(samples),
    });
    if (samples.some(({ system, measure }) => system === "service" && measure === "ends")) {
      const tables = [toPaperTable(samples, CPU_IN_FLIGHT)];
      sections.push({ name: "paper", page: "scaling", provenance: compare, tables, charts: {} });
    }
  }
  const scaling = { page: "scaling", charts: {} } as const;
  if (reads !== undefined) {
    const tables = [toReadsTable(reads)];
    sections.push({ ...scaling, name: "reads", provenance: reads, tables });
  }
  if (growth !== undefined) sections.push(...toGrowthSections(growth));
  if (fairness !== undefined) {
    const tables = [toFairnessTable(fairness)];
    sections.push({ ...scaling, name: "fairness", provenance: fairness, tables });
  }
  if (overload !== undefined) {
    const tables = [toOverloadTable(overload)];
    sections.push({ ...scaling, name: "overload", provenance: overload, tables });
  }
  if (soak !== undefined) {
    const [tables, charts] = [[toSoakTable(soak)], toSoakCharts(soak)];
    sections.push({ ...scaling, name: "soak", provenance: soak, tables, charts });
  }
  return sections;
}

/** One for the provenance, then one for each group of charts, whose text says what it shows. */
function toGrowthSections(growth: NonNullable<Results["growth"]>): Section[] {
  const { points } = growth;
  const charts = toGrowthCharts(points);
  const group = (name: keyof typeof charts, tables: string[]): Section => {
    return { name, page: "scaling", provenance: null, tables, charts: charts[name] };
  };
  const withVerdict = (series: "steps" | "items"): string[] => [
    toGrowthTable(points, series),
    toLinearVerdict(points, series),
  ];
  return [
    { name: "growth", page: "scaling", provenance: growth, tables: [], charts: {} },
    group("processes", [toGrowthTable(points, "gateways"), toGrowthTable(points, "workers")]),
    group("steps", withVerdict("steps")),
    group("input", [toGrowthTable(points, "input bytes")]),
    group("items", withVerdict("items")),
  ];
}
