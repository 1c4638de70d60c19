// Compares every run of the database with Temporal's history.
import type { Database } from "@truerun/shared/db";
import type { Difference } from "../mirror/diff-run.ts";
import { inspectRun, type Inspection, type InspectionSource } from "../mirror/inspect-run.ts";
import type { RunRows } from "../mirror/run-rows.ts";
import { AwayError, unlessAway } from "../unless-away.ts";
import { pause } from "@truerun/shared/pause";

/** What a run turned out to be. */
export type RunVerdict =
  | { kind: "equal" }
  /** Its execution is past Temporal's retention, or was deleted; the run had ended. */
  | { kind: "past_retention" }
  /** Temporal was never known to have it: it waits for its dispatch, or ended without one. */
  | { kind: "not_dispatched" }
  /** It kept moving and could not be caught at rest. */
  | { kind: "going_on" }
  | { kind: "different"; differences: Difference[]; rows: RunRows; isGone: boolean }
  | { kind: "unreadable"; reason: string };

export interface AuditScope {
  /** Empty: all. */
  runs: readonly string[];
  since: Date | null;
}

export interface AuditRunsOptions extends InspectionSource, AuditScope {
  /** Called after each run: runs looked at so far, of how many, and how many of them need another look. */
  onProgress: (progress: AuditProgress) => void;
  signal: AbortSignal;
}

export interface AuditProgress {
  done: number;
  total: number;
  suspected: number;
}

/**
 * The mirror writes before Temporal knows, and the reconciler a second or so after: a run that seems wrong is
 * looked at this many times in all, this far apart.
 */
const LOOKS = 3;
const BETWEEN_LOOKS_MS = 3_000;
/** Runs at a time: fetching overlaps with replaying. */
const CONCURRENCY = 8;
const PAGE = 1_000;

/**
 * Looks at all runs in scope, and several times at those that seem wrong.
 *
 * @returns each run's verdict, in the order of their ids
 * @throws when Temporal or the database cannot be reached
 */
export async function auditRuns(options: AuditRunsOptions): Promise<Map<string, RunVerdict>> {
  const verdicts = new Map<string, RunVerdict>();
  const total = await countRuns(options.db, options);
  let suspects: string[] = [];
  for await (const page of listRuns(options.db, options)) {
    await look(options, page, (id, verdict) => {
      verdicts.set(id, verdict);
      if (isSuspect(verdict)) suspects.push(id);
      // Runs that started meanwhile come along.
      const done = verdicts.size;
      options.onProgress({ done, total: Math.max(total, done), suspected: suspects.length });
    });
  }
  for (let again = 1; again < LOOKS && suspects.length > 0; again++) {
    await pause(BETWEEN_LOOKS_MS, options.signal);
    const left: string[] = [];
    await look(options, suspects, (id, verdict) => {
      verdicts.set(id, verdict);
      if (isSuspect(verdict)) left.push(id);
    });
    suspects = left;
  }
  return new Map([...verdicts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isSuspect({ kind }: RunVerdict): boolean {
  return kind === "different" || kind === "going_on" || kind === "unreadable";
}

async function look(
  options: AuditRunsOptions,
  ids: readonly string[],
  tell: (id: string, verdict: RunVerdict) => void,
): Promise<void> {
  const queue = ids.values();
  const lane = async (): Promise<void> => {
    for (const id of queue) {
      options.signal.throwIfAborted();
      const verdict = await judgeRun(options, id);
      if (verdict !== null) tell(id, verdict);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

/** @returns null when the run no longer exists */
async function judgeRun(source: AuditRunsOptions, id: string): Promise<RunVerdict | null> {
  try {
    const found = await unlessAway(source, () => inspectRun(source, id));
    return found === null ? null : toVerdict(found);
  } catch (error) {
    source.signal.throwIfAborted();
    if (error instanceof AwayError) throw error;
    return { kind: "unreadable", reason: toReason(error) };
  }
}

function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function toVerdict(found: Inspection): RunVerdict {
  const { rows } = found;
  // Whatever Temporal may have run under its id was a stray and was terminated: the run's end stands.
  if (rows.temporalRunId === null && rows.isConfirmed) return { kind: "not_dispatched" };
  switch (found.kind) {
    case "equal":
      return { kind: "equal" };
    case "moving":
      return { kind: "going_on" };
    case "different":
      return { kind: "different", differences: found.differences, rows, isGone: false };
    case "gone":
      return toVerdictOfGone(rows);
  }
}

function toVerdictOfGone(rows: RunRows): RunVerdict {
  if (rows.status !== "started") return { kind: "past_retention" };
  if (!rows.isDispatched) return { kind: "not_dispatched" };
  const difference = {
    field: "status",
    table: rows.status,
    history: "(Temporal has no such execution)",
    eventId: 0,
  };
  return { kind: "different", differences: [difference], rows, isGone: true };
}

async function* listRuns(db: Database, scope: AuditScope): AsyncGenerator<string[]> {
  let after = "";
  for (;;) {
    const page = await db.workflowRun.findMany({
      where: { AND: [toWhere(scope), { id: { gt: after } }] },
      select: { id: true },
      orderBy: { id: "asc" },
      take: PAGE,
    });
    const ids = page.map(({ id }) => id);
    if (ids.length > 0) yield ids;
    const last = ids.at(-1);
    if (last === undefined || ids.length < PAGE) return;
    after = last;
  }
}

async function countRuns(db: Database, scope: AuditScope): Promise<number> {
  return await db.workflowRun.count({ where: toWhere(scope) });
}

function toWhere({ runs, since }: AuditScope) {
  return {
    ...(runs.length === 0 ? {} : { id: { in: [...runs] } }),
    ...(since === null ? {} : { startedAt: { gte: since } }),
  };
}
