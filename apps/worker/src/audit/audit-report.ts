import type { Difference } from "../mirror/diff-run.ts";
import type { AuditProgress, RunVerdict } from "./audit-runs.ts";
import type { BrokenInvariant } from "./check-invariants.ts";

/** Characters of a value that are shown: an output can be a megabyte. */
const SHOWN = 160;

/** One line per difference, or one for why a run could not be compared. Empty when nothing is wrong. */
export function toLines(workflowRunId: string, verdict: RunVerdict): string[] {
  if (verdict.kind === "different") {
    return verdict.differences.map((each) => `${workflowRunId}  ${toText(each)}`);
  }
  if (verdict.kind === "unreadable") {
    return [`${workflowRunId}  cannot be compared: ${clip(verdict.reason)}`];
  }
  return [];
}

function toText({ field, table, history, eventId }: Difference): string {
  const [a, b] = [table, history].map((value) => show(field, value));
  const event = eventId > 0 ? ` (event ${eventId})` : "";
  return `${field}: table ${a}, history ${b}${event}`;
}

function show(field: string, value: unknown): string {
  if (field.endsWith("_ms") && typeof value === "number" && value > 0) {
    return new Date(value).toISOString();
  }
  return clip(JSON.stringify(value) ?? "null");
}

function clip(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}... (${text.length} characters)` : text;
}

export function toInvariantLine({ what, count, examples }: BrokenInvariant): string {
  return `${count} ${what}: ${examples.join(", ")}${count > examples.length ? ", ..." : ""}`;
}

const NAMES = {
  equal: "equal",
  different: "different",
  unreadable: "not comparable",
  past_retention: "past retention or deleted in Temporal",
  not_dispatched: "not dispatched",
  going_on: "going on",
} as const satisfies Record<RunVerdict["kind"], string>;

/** How many runs there are of each verdict. */
export function toTotals(verdicts: ReadonlyMap<string, RunVerdict>, seconds: number): string {
  const counts = new Map<RunVerdict["kind"], number>();
  for (const { kind } of verdicts.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = (Object.keys(NAMES) as RunVerdict["kind"][])
    .filter((kind) => kind === "equal" || kind === "different" || (counts.get(kind) ?? 0) > 0)
    .map((kind) => `${counts.get(kind) ?? 0} ${NAMES[kind]}`);
  return `${verdicts.size} runs in ${seconds.toFixed(1)} s: ${parts.join(", ")}`;
}

/** A stream such as `process.stdout`. */
export interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** A bar that redraws itself on a terminal; elsewhere a line now and then. */
export function createProgressBar(out: Output): {
  show(progress: AuditProgress): void;
  clear(): void;
} {
  const startedAt = performance.now();
  const everyMs = out.isTTY === true ? 100 : 10_000;
  let shownAt = out.isTTY === true ? Number.NEGATIVE_INFINITY : startedAt;
  return {
    show(progress) {
      const now = performance.now();
      if (now - shownAt < everyMs) return;
      shownAt = now;
      const line = toProgressLine(progress, (now - startedAt) / 1_000);
      out.write(out.isTTY === true ? `\r${line}\u001b[K` : `${line}\n`);
    },
    clear() {
      if (out.isTTY === true) out.write("\r\u001b[K");
    },
  };
}

const BAR = 30;

function toProgressLine({ done, total, suspected }: AuditProgress, seconds: number): string {
  const filled = Math.min(BAR, Math.round((BAR * done) / Math.max(1, total)));
  const bar = "#".repeat(filled).padEnd(BAR, ".");
  const rate = done / Math.max(0.001, seconds);
  const left = Math.ceil(Math.max(0, total - done) / Math.max(0.001, rate));
  return `[${bar}] ${done}/${total} runs, ${rate.toFixed(0)}/s, ${left} s left, ${suspected} to look at again`;
}
