import type { Database } from "@truerun/shared/db";

/** A slower round trip says too little about when exactly the database read its clock. */
const LEARN_WITHIN_MS = 250;

/**
 * The database's clock as seen from this process. A statement that must not take effect late carries a
 * deadline in the database's own time: a server that was frozen with the statement in its buffer then
 * does nothing when it wakes, long after the caller was answered 503.
 */
export interface DatabaseClock {
  /** The database's time `budgetMs` from now, in unix seconds. */
  deadline(budgetMs: number): Promise<number>;
  /** Learns the database's time (unix seconds) from the answer to a statement sent at `sentAtMs`. */
  learn(sentAtMs: number, databaseSeconds: number): void;
  /** This process's monotonic time, for {@link learn}. */
  now(): number;
}

export function createDatabaseClock(db: Database): DatabaseClock {
  /** Database time minus monotonic time, in ms. */
  let offsetMs: number | null = null;
  const now = () => performance.now();

  function learn(sentAtMs: number, databaseSeconds: number): void {
    const receivedAtMs = now();
    const lowest = databaseSeconds * 1_000 - receivedAtMs;
    const highest = databaseSeconds * 1_000 - sentAtMs;
    const stillPossible = offsetMs !== null && offsetMs >= lowest && offsetMs <= highest;
    // Outside these bounds, one of the clocks has been set since; then even a slow answer is better.
    if (stillPossible && highest - lowest > LEARN_WITHIN_MS) return;
    offsetMs = (lowest + highest) / 2;
  }

  async function ask(): Promise<number> {
    const sentAtMs = now();
    const rows = await db.$queryRaw<{ seconds: number }[]>`
      SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds`;
    const [row] = rows;
    if (row === undefined) throw new Error("The database did not tell the time");
    learn(sentAtMs, row.seconds);
    return row.seconds * 1_000 - now();
  }

  return {
    now,
    learn,
    async deadline(budgetMs) {
      const known = offsetMs ?? (await ask());
      return (now() + known + budgetMs) / 1_000;
    },
  };
}
