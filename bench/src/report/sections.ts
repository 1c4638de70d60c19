import { toPerformanceCharts } from "./performance-charts.ts";
import { toReadsTable } from "./reads-table.ts";
import { toCpuTable, toResultTable } from "./result-table.ts";
import type { Provenance, Results } from "./results-file.ts";
import { toGrowthCharts, toSoakCharts } from "./scaling-charts.ts";
import { toFairnessTable, toGrowthTable, toOverloadTable, toSoakTable } from "./scaling-tables.ts";
import { toTargetTable } from "./targets.ts";

/** What is shown of one part of the results, and where in the documentation. */
export interface Section {
  /** The name in its markers. */
  name: keyof Results;
  /** Page below `docs/`, and the folder of its charts. */
  page: "performance" | "scaling";
  provenance: Provenance;
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
  }
  if (growth !== undefined) {
    const { points } = growth;
    sections.push({
      name: "growth",
      page: "scaling",
      provenance: growth,
      tables: [toGrowthTable(points)],
      charts: toGrowthCharts(points),
    });
  }
  const scaling = { page: "scaling", charts: {} } as const;
  if (reads !== undefined) {
    const tables = [toReadsTable(reads)];
    sections.push({ ...scaling, name: "reads", provenance: reads, tables });
  }
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
