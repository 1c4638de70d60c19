import type { Database } from "@truerun/shared/db";

/** Longer than any pass may take; a pass that needs more is cut short and goes on with the next one. */
const PASS_TIMEOUT_MS = 120_000;

/**
 * Runs a pass if no other worker is running one of that name. The lock is an advisory lock of a transaction
 * that is open as long as the pass: a process that dies gives it back with its connection, and a frozen one
 * loses it when Postgres ends the idle transaction. What a pass writes is guarded on its own, so two of them
 * at once would be wasteful, not wrong.
 *
 * @param pass - gets a function that it calls now and then while it works
 * @returns what the pass returned, or null when another worker is at it
 */
export async function asLeader<T>(
  db: Database,
  name: string,
  pass: (stillHere: () => Promise<unknown>) => Promise<T>,
): Promise<T | null> {
  return await db.$transaction(
    async (tx) => {
      const [lock] = await tx.$queryRaw<{ taken: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtextextended(${`reconcile ${name}`}, 0)) AS taken`;
      if (lock?.taken !== true) return null;
      await tx.$executeRaw`SET LOCAL idle_in_transaction_session_timeout = '10s'`;
      return await pass(() => tx.$queryRaw`SELECT 1`);
    },
    { timeout: PASS_TIMEOUT_MS, maxWait: 2_000 },
  );
}
