import { RUN_STATUSES } from "../contracts/statuses.ts";
import type { Database } from "../db.ts";

/** Runs of an org that are counted together: those started from the block's `from_at` until the next one's. */
export interface Block {
  org_id: string;
  /** As text: it may be `-infinity`. */
  from_at: string;
}

/**
 * How many runs a new block holds. It is divided when it has grown to twice as many. Small enough to walk
 * through a part of one (a page's offset, the edges of a window), and large enough that a million runs have
 * only a few hundred blocks.
 */
export const BLOCK_SIZE = 2_000;

/** Only its holder writes counts; readers and writers of runs need no lock. */
export const COUNTS_LOCK = "run counts";

/** Each statement must see what was committed during the wait for the lock. */
export const COUNTS_TRANSACTION = { isolationLevel: "ReadCommitted" } as const;

/** Counts a block's runs anew, in as many blocks as they need. */
export async function divideBlock(
  db: Database,
  { org_id, from_at }: Block,
  blockSize: number,
): Promise<void> {
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${COUNTS_LOCK}, 0))`;
    const [next] = await tx.$queryRaw<{ from_at: string }[]>`
      SELECT coalesce(min(from_at), 'infinity')::text AS from_at FROM workflow_run_counts
       WHERE org_id = ${org_id} AND definition_id = '' AND from_at > ${from_at}::timestamptz`;
    await recount(tx, { org_id, from_at, until: next?.from_at ?? "infinity" }, blockSize);
  }, COUNTS_TRANSACTION);
}

/** Counts all of an org's runs anew, after somebody bypassed the triggers. */
export async function recountRuns(db: Database, orgId: string): Promise<void> {
  await db.$transaction(
    async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${COUNTS_LOCK}, 0))`;
      await recount(tx, { org_id: orgId, from_at: "-infinity", until: "infinity" }, BLOCK_SIZE);
    },
    { ...COUNTS_TRANSACTION, timeout: 120_000 },
  );
}

/** Needs a transaction that holds the lock, so that nobody else touches the counts between the statements. */
async function recount(
  tx: Pick<Database, "$executeRaw">,
  { org_id, from_at, until }: Block & { until: string },
  blockSize: number,
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM workflow_run_counts
     WHERE org_id = ${org_id} AND from_at >= ${from_at}::timestamptz AND from_at < ${until}::timestamptz`;
  // One statement, one snapshot: it deletes exactly the changes of the runs that it counts.
  await tx.$executeRaw`
    WITH counted AS (
      DELETE FROM workflow_run_changes
       WHERE org_id = ${org_id}
         AND started_at >= ${from_at}::timestamptz AND started_at < ${until}::timestamptz
    ), numbered AS (
      SELECT definition_id, status, started_at, row_number() OVER (ORDER BY started_at) AS place
        FROM workflow_runs
       WHERE org_id = ${org_id} AND status = ANY (${[...RUN_STATUSES]}::text[])
         AND started_at >= ${from_at}::timestamptz AND started_at < ${until}::timestamptz
    ), placed AS (
      SELECT definition_id, status,
             coalesce(max(started_at) FILTER (WHERE place % ${blockSize}::int = 0)
                        OVER (ORDER BY started_at), ${from_at}::timestamptz) AS from_at
        FROM numbered
    )
    INSERT INTO workflow_run_counts
      (org_id, definition_id, from_at, started, completed, canceled, failed)
    SELECT ${org_id}, coalesce(definition_id, ''), from_at,
           count(*) FILTER (WHERE status = 'started'), count(*) FILTER (WHERE status = 'completed'),
           count(*) FILTER (WHERE status = 'canceled'), count(*) FILTER (WHERE status = 'failed')
      FROM placed
     GROUP BY GROUPING SETS ((from_at), (definition_id, from_at))`;
}
