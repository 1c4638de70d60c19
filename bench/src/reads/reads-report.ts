import type { ReadsReport } from "./run-reads.ts";

/** Limits set by the issue that asked for flat reads. */
const MOST_RATIO = 2;
const MOST_WRITE_RATIO = 1.05;

/** The report as lines of text: a table of the reads, and the cost of writing. */
export function toReportLines({ smallRuns, largeRuns, reads, writes }: ReadsReport): string[] {
  const rows = reads.map(({ name, smallMs, largeMs, ratio, total }) => [
    name,
    smallMs.toFixed(2),
    largeMs.toFixed(2),
    `${ratio.toFixed(2)}${ratio > MOST_RATIO ? " (!)" : ""}`,
    total === null ? "" : String(total),
  ]);
  const head = [
    "p50 in ms, one client",
    `${smallRuns} runs`,
    `${largeRuns} runs`,
    "ratio",
    "total",
  ];
  const table = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  const lines = table.map((row) => {
    return row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ");
  });
  const { withCounts, without, ratio } = writes;
  const tooMuch = ratio > MOST_WRITE_RATIO ? " (!)" : "";
  return [
    ...lines,
    "",
    `Writing runs: ${withCounts.toFixed(0)}/s with counts, ${without.toFixed(0)}/s without; time ratio ${ratio.toFixed(3)}${tooMuch}`,
  ];
}
