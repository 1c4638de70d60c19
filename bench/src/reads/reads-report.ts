import { median } from "../measure/statistics.ts";
import type { WriteResult } from "./measure-writes.ts";
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
  return [...lines, "", toWriteLine(writes)];
}

function toWriteLine({ runs, rounds }: WriteResult): string {
  const perSecond = (times: number[]): string => ((runs * 1_000) / median(times)).toFixed(0);
  const counted = perSecond(rounds.map(({ withCountsMs }) => withCountsMs));
  const plain = perSecond(rounds.map(({ withoutMs }) => withoutMs));
  const ratios = rounds.map(({ withCountsMs, withoutMs }) => withCountsMs / withoutMs);
  const ratio = median(ratios);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((each) => each.toFixed(3));
  const tooMuch = ratio > MOST_WRITE_RATIO ? " (!)" : "";
  return `Writing runs: ${counted}/s with counts, ${plain}/s without; time ratio ${ratio.toFixed(3)}${tooMuch}, in each round ${least} to ${most}`;
}
