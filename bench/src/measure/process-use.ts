// What processes cost, from Linux's /proc; unknown on other platforms.
import { readdirSync, readFileSync } from "node:fs";
import { type Deployment, PART_KINDS, type PartKind } from "../systems/system.ts";

/** By kind of process. */
export type PerPart = Partial<Record<PartKind, number>>;

interface ProcessStat {
  pid: number;
  parent: number;
  /** Its own CPU time and that of its ended children. */
  cpuMs: number;
}

/** The kernel counts in hundredths of a second, on every platform that Node runs on. */
const MS_A_TICK = 10;

/** CPU time so far of each kind of part with all that it started, in milliseconds; null where unknown. */
export function readCpu({ parts, ends }: Deployment): PerPart | null {
  const all = readProcesses();
  if (all === null) return null;
  const sums: PerPart = {};
  for (const { kind, pid } of parts) {
    const own = treeOf(pid, all).filter((each) => each.pid !== ends?.backendPid);
    sums[kind] = (sums[kind] ?? 0) + own.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }
  return sums;
}

/** What was used between two readings, divided by `count`. */
export function cpuPer(
  before: PerPart | null,
  after: PerPart | null,
  count: number,
): PerPart | null {
  if (before === null || after === null || count === 0) return null;
  const entries = PART_KINDS.filter((kind) => after[kind] !== undefined).map(
    (kind) => [kind, ((after[kind] ?? 0) - (before[kind] ?? 0)) / count] as const,
  );
  return Object.fromEntries(entries);
}

/** Memory that each kind of part holds now, in MB, shared pages counted once; null where unknown. */
export function readMemory({ parts }: Deployment): PerPart | null {
  const all = readProcesses();
  if (all === null) return null;
  const sums: PerPart = {};
  for (const { kind, pid } of parts) {
    const own = treeOf(pid, all).reduce((sum, each) => sum + memoryOf(each.pid), 0);
    sums[kind] = (sums[kind] ?? 0) + own;
  }
  return sums;
}

function memoryOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1_024;
  } catch {
    // Ended meanwhile.
    return 0;
  }
}

function treeOf(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

function readProcesses(): ProcessStat[] | null {
  if (process.platform !== "linux") return null;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return [parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))];
    } catch {
      // Ended meanwhile.
      return [];
    }
  });
}

/** @param text - of `/proc/<pid>/stat`; the name in it is in parentheses and may contain anything */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (place: number): number => Number(fields[place - 3]);
  const ticks = number(14) + number(15) + number(16) + number(17);
  return { pid: Number.parseInt(text, 10), parent: number(4), cpuMs: ticks * MS_A_TICK };
}
