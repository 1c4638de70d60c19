import { toMarkdown } from "@truerun/dev/report/markdown";
import { median } from "../measure/statistics.ts";
import type { Answers } from "../scaling/answers.ts";
import type { FairnessResult, LoneRuns } from "../scaling/fairness.ts";
import type { OverloadResult } from "../scaling/overload.ts";
import type { SoakResult } from "../scaling/soak.ts";
import { type PartKind, PART_KINDS } from "../systems/system.ts";
import { show } from "./result-table.ts";

/** How many times as long as when idle a lone run may take beside another org's queue. */
const FAIR = 5;

/** The smaller of the two idle values counts. */
export function toFairnessTable({ open, idle, beside, idleAfter }: FairnessResult): string {
  const factor = beside.p50Ms / Math.min(idle.p50Ms, idleAfter?.p50Ms ?? Number.POSITIVE_INFINITY);
  const isMet = factor <= FAIR;
  const row = (when: string, runs: LoneRuns | null): string[] => [
    when,
    String(runs?.count ?? "–"),
    show(runs?.p50Ms ?? null),
    show(runs?.maxMs ?? null),
  ];
  return toMarkdown([
    ["start → end of lone runs", "runs", "p50 ms", "longest, ms"],
    row("before there is a queue", idle),
    row(`beside ${open.join(" to ")} open runs of another org`, beside),
    row("after the queue", idleAfter),
    [`p50 beside it ÷ idle; wanted ≤ ${FAIR}`, "", show(factor), isMet ? "met" : "missed"],
  ]);
}

export function toOverloadTable(result: OverloadResult): string {
  const { accepted, memoryMb, notDispatched } = result;
  const { completed = 0, started = 0, ...otherwise } = result.statuses;
  const promised = accepted.count + notDispatched;
  const known = Object.values(result.statuses).reduce((sum, count) => sum + count, 0);
  const memory = memoryMb.map((mb) => show(mb?.gateway ?? null)).join(" → ");
  return toMarkdown([
    ["overload", "measured"],
    ["runs to the end a second, at most", show(result.limitPerSecond)],
    [
      `starts a second, for ${result.seconds} s, by ${result.orgs} orgs`,
      show(result.givenPerSecond),
    ],
    ["accepted", toTimes(accepted)],
    ["p99 of each ten seconds, ms", accepted.p99ByTenSeconds.map((ms) => show(ms)).join(", ")],
    ["refused with 503", String(result.refused)],
    ["of them without Retry-After", String(result.refusedWithoutRetryAfter)],
    ["answered 502, dispatched later", String(notDispatched)],
    ["answered otherwise, or not at all", String(result.failed)],
    ["not answered, reads included, by reason", toCounts(result.unanswered)],
    ["not sent: too many under way", String(result.notSent)],
    ["runs read meanwhile", toTimes(result.gets)],
    ["lists read meanwhile", toTimes(result.lists)],
    ["reads that failed", String(result.gets.failed + result.lists.failed)],
    ["completed, of all that were accepted or answered 502", `${completed} of ${promised}`],
    ["ended otherwise", toCounts(otherwise)],
    ["not ended in time", String(started)],
    ["lost", String(promised - known)],
    ["memory of the gateway, MB", memory],
  ]);
}

function toTimes({ count, p50Ms, p99Ms }: Answers): string {
  return `${count}; p50 ${show(p50Ms)} ms, p99 ${show(p99Ms)} ms`;
}

const FLAT = 0.1;
const THIRD = 3;

/** Whether memory is flat: the last minute within a tenth of the third, either way. */
export function toSoakTable(result: SoakResult): string {
  const rows = PART_KINDS.filter((kind) => result.memory[0]?.mb[kind] !== undefined).map((kind) => {
    const third = memoryIn(result, kind, THIRD);
    const last = memoryIn(result, kind, result.minutes);
    const change = result.minutes > THIRD ? last / third - 1 : null;
    const said = change === null ? show(null) : `${(change * 100).toFixed(1)} %`;
    return [kind, show(third), show(last), said, verdictOn(change)];
  });
  const head = ["process", "MB, third minute", "MB, last minute", "change; wanted ± 10 %", ""];
  const load = `${show(result.givenPerSecond)} runs a second of at most ${show(result.limitPerSecond)}`;
  const times = `start → end p50 ${show(result.p50Ms)} ms, p99 ${show(result.p99Ms)} ms`;
  const { notSent } = result;
  const left = notSent === 0 ? "" : `, ${notSent} left out because too many were under way`;
  const said = `${result.runs} runs in ${result.minutes} minutes, ${load}${left}; ${times}:`;
  const { tables, wal } = result.bytesPerRun;
  const storage = `A run took ${show(tables / 1_000)} kB in tables and indexes, and ${show(wal / 1_000)} kB of WAL.`;
  return `${said}\n\n${toMarkdown([head, ...rows])}\n\n${storage}`;
}

function verdictOn(change: number | null): string {
  if (change === null) return "not measured";
  return Math.abs(change) <= FLAT ? "met" : "missed";
}

/** @param minute - from 1 */
function memoryIn({ memory }: SoakResult, kind: PartKind, minute: number): number {
  const own = memory.filter(({ second }) => Math.floor(second / 60) === minute - 1);
  return median(own.flatMap(({ mb }) => mb[kind] ?? []));
}

function toCounts(counts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(counts).map(([reason, count]) => `${count} ${reason}`);
  return texts.length === 0 ? "0" : texts.join(", ");
}
