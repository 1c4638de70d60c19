import type { Database } from "@truerun/shared/db";
import { pause } from "@truerun/shared/pause";

export interface TermOptions {
  db: Database;
  /** The lead's name: one process at a time holds it. */
  name: string;
  /** How long it is held at most before others get their chance. */
  termMs?: number;
  signal: AbortSignal;
}

const TERM_MS = 600_000;
const STILL_HERE_MS = 1_500;
/** Longer than a tolerable pause of this process; with the others' next try, one leads within ten seconds. */
const SILENCE = "6s";
/** In `pg_stat_activity`: whoever waits for the mirror's transactions must not wait for this one. */
const LEADER_APPLICATION = "truerun-leader";
/** How long the work may take to end after its term. */
const END_WITHIN_MS = 120_000;

/**
 * Does work while no other process does work of that name. The lead is an advisory lock of a transaction
 * that stays open meanwhile: a process that dies gives it back with its connection, and a frozen one loses
 * it when Postgres ends the idle transaction. The work must guard its own writes: a leader that was frozen
 * learns only afterwards that it no longer leads.
 *
 * @param work - must end soon after its signal is aborted: the term is over, or the lead is lost
 * @returns false when another process has the lead
 */
export async function asLeader(
  { db, name, termMs = TERM_MS, signal }: TermOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  return await db.$transaction(
    async (tx) => {
      const [lock] = await tx.$queryRaw<{ taken: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtextextended(${`reconcile ${name}`}, 0)) AS taken`;
      if (lock?.taken !== true) return false;
      await tx.$executeRaw`
        SELECT set_config('idle_in_transaction_session_timeout', ${SILENCE}, true),
               set_config('application_name', ${LEADER_APPLICATION}, true)`;
      const over = new AbortController();
      const done = work(AbortSignal.any([signal, over.signal, AbortSignal.timeout(termMs)]));
      const ended = new AbortController();
      const settled = done.finally(() => ended.abort());
      try {
        await Promise.race([settled, keepLead(() => tx.$queryRaw`SELECT 1`, ended.signal)]);
      } finally {
        over.abort();
        await settled;
      }
      return true;
    },
    { timeout: termMs + END_WITHIN_MS, maxWait: 2_000 },
  );
}

/**
 * Queries regularly until the signal, so that Postgres does not end the idle transaction. Rejects when the lead is
 * lost.
 */
async function keepLead(stillHere: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await stillHere();
    await pause(STILL_HERE_MS, signal);
  }
}
