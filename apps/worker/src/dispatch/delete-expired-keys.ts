import type { Database } from "@truerun/shared/db";

const BATCH = 1_000;

/** Deletes Idempotency-Keys past their window, which bind nothing any more. Returns whether there may be more. */
export async function deleteExpiredKeys(db: Database): Promise<boolean> {
  const deleted = await db.$executeRaw`
    DELETE FROM idempotency_keys AS expired
     USING (SELECT org_id, endpoint, key FROM idempotency_keys
             WHERE expires_at <= now() LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) AS due
     WHERE (expired.org_id, expired.endpoint, expired.key) = (due.org_id, due.endpoint, due.key)`;
  return deleted === BATCH;
}
