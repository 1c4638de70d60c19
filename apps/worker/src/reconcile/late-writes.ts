// A worker that has not heard of its run's end goes on with its task. A statement of its mirror that began before
// the end was confirmed does not see the confirmation, locks no row of the run, and may commit after it.
import { pause } from "@truerun/shared/pause";
import type { Database } from "@truerun/shared/db";
import { diffRun } from "../mirror/diff-run.ts";
import { MIRROR_APPLICATION } from "../mirror/mirror-database.ts";
import { STEPS_AGREE } from "../mirror/mirror-statement.ts";
import type { Projection } from "../mirror/project-history.ts";
import { readRunRows } from "../mirror/run-rows.ts";
import { writeProjection } from "../mirror/write-projection.ts";

/** Longer than a statement of the mirror may take: none that is under way now can still be so after it. */
const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 10;

/** Makes sure that an ended run's rows, just written, stay right: removes what was written after them. */
export async function settleLateWrites(db: Database, projection: Projection): Promise<void> {
  await untilMirrorsSeeIt(db);
  const rows = await readRunRows(db, projection.workflowRunId);
  if (rows === null || rows.temporalRunId !== projection.temporalRunId) return;
  if (diffRun(rows, projection).length > 0) await writeProjection(db, projection, rows);
}

/** The runs, of those just confirmed, whose steps have changed since. */
export async function findLateWritten(db: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  await untilMirrorsSeeIt(db);
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT run.id FROM workflow_runs AS run
     WHERE run.id = ANY(${ids}::text[]) AND NOT (${STEPS_AGREE})`;
  return rows.map(({ id }) => id);
}

/** Waits for the mirrors' transactions that are under way: those that begin later see what is committed. */
async function untilMirrorsSeeIt(db: Database): Promise<void> {
  const [open] = await db.$queryRaw<{ transactions: string }[]>`
    SELECT coalesce(json_agg(json_build_object('pid', pid, 'xact_start', xact_start)), '[]')::text
             AS transactions
      FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name = ${MIRROR_APPLICATION} AND xact_start IS NOT NULL`;
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const [still] = await db.$queryRaw<{ any: boolean }[]>`
      SELECT EXISTS (
        SELECT FROM json_to_recordset(${open?.transactions ?? "[]"}::json)
                 AS open(pid int, xact_start timestamptz)
          JOIN pg_stat_activity USING (pid, xact_start)) AS any`;
    if (still?.any !== true) return;
    await pause(LOOK_EVERY_MS);
  }
}
