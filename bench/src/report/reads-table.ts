import { toMarkdown } from "@truerun/dev/report/markdown";
import { median } from "../measure/statistics.ts";
import type { WriteResult } from "../reads/measure-writes.ts";
import type { ReadsReport } from "../reads/run-reads.ts";
import { show } from "./result-table.ts";

/** How many times as long a question may take in the large org. */
const MOST_RATIO = 2;
/** How many times as long writing may take with counts. */
const MOST_WRITE_RATIO = 1.05;

/** A row for each question, the last one for what counts cost writers. */
export function toReadsTable({ smallRuns, largeRuns, reads, writes }: ReadsReport): string {
  const sizes = [smallRuns, largeRuns].map((runs) => `${toWhole(runs)} runs`);
  const rows = reads.map(({ name, smallMs, largeMs, total }) => {
    const ratio = largeMs / smallMs;
    const times = [show(smallMs), show(largeMs)];
    const of = total === null ? show(null) : toWhole(total);
    return [name, ...times, of, show(ratio, 2), ...judge(ratio, MOST_RATIO)];
  });
  const head = ["p50 ms, one client", ...sizes, "total of the latter", "ratio", "wanted", ""];
  return toMarkdown([head, ...rows, toWriteRow(writes)]);
}

function toWriteRow({ runs, rounds }: WriteResult): string[] {
  const perRun = (times: number[]): string => show(median(times) / runs);
  const plain = perRun(rounds.map(({ withoutMs }) => withoutMs));
  const counted = perRun(rounds.map(({ withCountsMs }) => withCountsMs));
  const ratios = rounds.map(({ withCountsMs, withoutMs }) => withCountsMs / withoutMs);
  const ratio = median(ratios);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((each) => show(each, 2));
  return [
    "writing a run",
    `${plain} without counts`,
    `${counted} with counts`,
    show(null),
    `${show(ratio, 3)}; ${rounds.length} rounds: ${least} to ${most}`,
    ...judge(ratio, MOST_WRITE_RATIO),
  ];
}

function judge(ratio: number, most: number): [string, string] {
  return [`≤ ${most} ×`, ratio <= most ? "met" : "missed"];
}

function toWhole(count: number): string {
  return count.toLocaleString("en-US");
}
