import type { Database } from "../db.ts";
import {
  BLOCK_SIZE,
  type Block,
  COUNTS_LOCK,
  COUNTS_TRANSACTION,
  divideBlock,
} from "./recount-runs.ts";

/** Maximum changes added up in one transaction, which must end well within the statement timeout. */
export const FOLD_BATCH = 5_000;

/**
 * Adds the changes of runs to the counts. Any process may call it at any time: one at a time does the work,
 * the others do nothing. Readers see each change either by itself or in the counts, never in both or neither.
 *
 * @param blockSize - another one than usual, for tests
 * @returns how many changes were added up: when {@link FOLD_BATCH}, there may be more
 */
export async function foldRunChanges(
  db: Database,
  blockSize: number = BLOCK_SIZE,
): Promise<number> {
  const [waiting] = await db.$queryRaw<{ any: boolean }[]>`
    SELECT EXISTS (SELECT FROM workflow_run_changes) AS any`;
  if (waiting?.any !== true) return 0;
  const { folded, full } = await db.$transaction(async (tx) => {
    const [lock] = await tx.$queryRaw<{ taken: boolean }[]>`
      SELECT pg_try_advisory_xact_lock(hashtextextended(${COUNTS_LOCK}, 0)) AS taken`;
    return lock?.taken === true ? await fold(tx, blockSize) : { folded: 0, full: [] };
  }, COUNTS_TRANSACTION);
  // In transactions of their own: a block that cannot be divided in time must not hold up the others.
  for (const block of full) await divideBlock(db, block, blockSize);
  return folded;
}

type Transaction = Pick<Database, "$queryRaw" | "$executeRaw">;

async function fold(
  tx: Transaction,
  blockSize: number,
): Promise<{ folded: number; full: Block[] }> {
  const rows = await tx.$queryRaw<(Block & { folded: number; total: number; grown: number })[]>`
    WITH taken AS (
      DELETE FROM workflow_run_changes
       WHERE ctid = ANY (ARRAY(SELECT ctid FROM workflow_run_changes LIMIT ${FOLD_BATCH}))
      RETURNING *
    ), placed AS (
      SELECT change.*, coalesce(block.from_at, '-infinity') AS from_at
        FROM taken AS change
        LEFT JOIN LATERAL (
          SELECT max(from_at) AS from_at FROM workflow_run_counts
           WHERE org_id = change.org_id AND definition_id = '' AND from_at <= change.started_at
        ) AS block ON true
    ), signed AS (
      SELECT org_id, definition_id, from_at, status_after AS status, 1 AS n FROM placed
       WHERE status_after IS NOT NULL
      UNION ALL
      SELECT org_id, definition_id, from_at, status_before, -1 FROM placed
       WHERE status_before IS NOT NULL
    ), summed AS (
      SELECT org_id, coalesce(definition_id, '') AS definition_id, from_at,
             coalesce(sum(n) FILTER (WHERE status = 'started'), 0) AS started,
             coalesce(sum(n) FILTER (WHERE status = 'completed'), 0) AS completed,
             coalesce(sum(n) FILTER (WHERE status = 'canceled'), 0) AS canceled,
             coalesce(sum(n) FILTER (WHERE status = 'failed'), 0) AS failed,
             sum(n) AS grown
        FROM signed
       GROUP BY GROUPING SETS ((org_id, from_at), (org_id, definition_id, from_at))
    ), added AS (
      INSERT INTO workflow_run_counts AS kept
        (org_id, definition_id, from_at, started, completed, canceled, failed)
      SELECT org_id, definition_id, from_at, started, completed, canceled, failed FROM summed
      ON CONFLICT (org_id, definition_id, from_at) DO UPDATE SET
        started = kept.started + excluded.started, completed = kept.completed + excluded.completed,
        canceled = kept.canceled + excluded.canceled, failed = kept.failed + excluded.failed
      RETURNING org_id, definition_id, from_at, started + completed + canceled + failed AS total
    )
    SELECT (SELECT count(*) FROM taken)::int AS folded, org_id, from_at::text AS from_at,
           total::int AS total, grown::int AS grown
      FROM added JOIN summed USING (org_id, definition_id, from_at)
     WHERE definition_id = ''`;
  const full = rows.filter(({ total, grown }) => {
    // Only when it has doubled (again): a block whose runs all started at one moment cannot be divided.
    return sizeClass(total, blockSize) > sizeClass(total - grown, blockSize);
  });
  return { folded: rows[0]?.folded ?? 0, full };
}

/** How often a block has doubled since it had the right size. */
function sizeClass(runs: number, blockSize: number): number {
  return Math.floor(Math.log2(Math.max(runs, blockSize) / blockSize));
}
