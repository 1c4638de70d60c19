import type { Database } from "@truerun/shared/db";

/**
 * Puts runs that could not be repaired among those that the open runs' loop looks at until they are right. The walk
 * that found them has moved on by then, and a confirmed row is looked at by nobody.
 */
export async function unconfirm(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.workflowRun.updateMany({
    where: { id: { in: [...ids] }, temporalRunId: { not: null } },
    data: { confirmedAt: null },
  });
}
