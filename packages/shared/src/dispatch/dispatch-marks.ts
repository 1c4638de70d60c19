import type { RunErrorCode } from "../contracts/statuses.ts";
import type { Database } from "../db.ts";
import type { Logger } from "../logger.ts";
import { pause } from "../pause.ts";
import { clipMessage } from "../storable-text.ts";

/** What this process knows of its dispatches and has yet to write into the rows. */
export interface DispatchMarks {
  /** Records that Temporal took a run. Returns at once; the mark is committed with others, within a second. */
  add(workflowRunId: string, temporalRunId: string | null): void;
  /** Whether this process knows that Temporal took a run, and the mark is not committed yet. */
  holds(workflowRunId: string): boolean;
  /** Lets the sweeper dispatch a run that Temporal did not take, from now on. Returns at once, too. */
  release(workflowRunId: string): void;
  /** Ends a run that Temporal will never take. */
  reject(workflowRunId: string, reason: string): Promise<void>;
  /** Commits what is still held, without waiting for more. */
  close(): Promise<void>;
}

/**
 * How long a group is collected. Most runs have begun by then, and the mirror's first write has marked them in
 * passing: their mark then has nothing to do, which saves a row version per run. Whoever needs to know whether
 * an unmarked run has begun (a cancellation, `include=pending`) asks Temporal.
 */
const COLLECTED_MS = 200;

interface Mark {
  id: string;
  temporalRunId: string | null;
}

/**
 * Commits `dispatched_at` in groups, in the background, so that starting a run costs its caller only one
 * statement. A lost mark costs a needless try by the sweeper, never a second start; a lost release costs
 * the seconds for which the sweeper leaves a new run alone.
 */
export function createDispatchMarks({
  db,
  logger,
}: {
  db: Database;
  logger: Logger;
}): DispatchMarks {
  let held: Mark[] = [];
  const uncommitted = new Set<string>();
  let released: string[] = [];
  let flushing: Promise<void> | undefined;
  const closing = new AbortController();
  const warn = (message: string, count: number) => (error: unknown) =>
    logger.warn({ err: error, count }, message);

  async function flush(): Promise<void> {
    while (held.length + released.length > 0) {
      await pause(COLLECTED_MS, closing.signal);
      const [marks, ids] = [held, released];
      [held, released] = [[], []];
      await commitMarks(db, marks).catch(
        warn("dispatch marks lost; the sweeper makes them again", marks.length),
      );
      for (const { id } of marks) uncommitted.delete(id);
      await commitReleases(db, ids).catch(warn("runs not released; the sweeper waits", ids.length));
    }
    flushing = undefined;
  }

  return {
    add(id, temporalRunId) {
      held.push({ id, temporalRunId });
      uncommitted.add(id);
      flushing ??= flush();
    },
    holds: (id) => uncommitted.has(id),
    release(id) {
      released.push(id);
      flushing ??= flush();
    },
    async reject(id, reason) {
      const message = `Temporal refused the run: ${reason}`;
      await endUndispatched(db, { id, status: "failed", code: "dispatch_rejected", message });
    },
    async close() {
      closing.abort();
      await flushing;
    },
  };
}

async function commitReleases(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.$executeRaw`
    UPDATE workflow_runs SET next_dispatch_at = now()
     WHERE id = ANY(${ids}) AND dispatched_at IS NULL AND next_dispatch_at > now()`;
}

async function commitMarks(db: Database, marks: readonly Mark[]): Promise<void> {
  if (marks.length === 0) return;
  const temporalRunIds = Object.fromEntries(marks.map((mark) => [mark.id, mark.temporalRunId]));
  // By a list of ids and not by a join, so that Postgres has no plan that reads other runs.
  await db.$executeRaw`
    UPDATE workflow_runs AS run
       SET dispatched_at = now(),
           temporal_run_id = coalesce(run.temporal_run_id, ${JSON.stringify(temporalRunIds)}::jsonb ->> run.id)
     WHERE run.id = ANY(${Object.keys(temporalRunIds)}) AND run.dispatched_at IS NULL
       -- A start that lands after the run was ended leaves the row as it is: that is how it is told.
       AND run.confirmed_at IS NULL`;
}

/** How and why a run ends that is not known to be in Temporal. */
export interface UndispatchedEnd {
  id: string;
  status: "failed" | "canceled";
  code: RunErrorCode;
  message: string;
}

/**
 * Ends a run that is not known to be in Temporal: the end is confirmed, and the row names no Temporal run.
 * Should an earlier start land after all, the mirror knows the stray by that and terminates it.
 *
 * @returns false when the run was dispatched or has ended meanwhile; then nothing was done
 */
export async function endUndispatched(
  db: Pick<Database, "$executeRaw">,
  { id, status, code, message }: UndispatchedEnd,
): Promise<boolean> {
  const ended = await db.$executeRaw`
    UPDATE workflow_runs
       SET status = ${status}, completed_at = now(), confirmed_at = now(),
           error_code = ${code}, error_message = ${clipMessage(message)}
     WHERE id = ${id} AND status = 'started' AND dispatched_at IS NULL AND temporal_run_id IS NULL`;
  return ended > 0;
}
