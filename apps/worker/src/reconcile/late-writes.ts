import type { Database } from "@truerun/shared/db";
import { diffRun } from "../mirror/diff-run.ts";
import type { Projection } from "../mirror/project-history.ts";
import { readRunRows } from "../mirror/run-rows.ts";
import { writeProjection } from "../mirror/write-projection.ts";

/** Above the time that a statement of the mirror may take: behind it none can be under way that was then. */
const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 10;

/**
 * Makes sure of an ended run's rows that were just written. A worker that has not heard of the end goes on
 * with its task; a statement of its mirror that began before the projection was committed saw the run without
 * a confirmed end, locks nothing of it, and may commit behind it. So all that began before is waited for, and
 * what it left is taken away.
 */
export async function settleLateWrites(db: Database, projection: Projection): Promise<void> {
  await untilOthersSeeIt(db);
  const rows = await readRunRows(db, projection.workflowRunId);
  if (rows === null || rows.temporalRunId !== projection.temporalRunId) return;
  if (diffRun(rows, projection).length > 0) await writeProjection(db, projection, rows);
}

/** Waits until every statement under way sees what has been committed by now. */
async function untilOthersSeeIt(db: Database): Promise<void> {
  const [now] = await db.$queryRaw<{ next: string }[]>`
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next`;
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const [seen] = await db.$queryRaw<{ older: boolean }[]>`
      SELECT EXISTS (
        SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND (age(backend_xmin) > age(${now?.next ?? "3"}::xid8::xid)
                OR age(backend_xid) > age(${now?.next ?? "3"}::xid8::xid))) AS older`;
    if (seen?.older !== true) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
