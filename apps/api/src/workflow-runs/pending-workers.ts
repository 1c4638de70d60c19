/** A worker polls at least this often: a long poll waits at the server for a minute. */
const POLL_SECONDS = 75;
/** A task reaches a polling worker within milliseconds; if it takes longer than this, there is none. */
const MATCH_SECONDS = 5;

/**
 * Whether a worker takes work from a task queue. Temporal lists a worker for minutes after it is gone, but if
 * a task became due after the last poll and was not handed out, nobody was there to take it.
 *
 * @param times - unix seconds; `polledAt` null: nobody has polled lately; `dueAt` null: nothing waits
 */
export function isPolled(times: {
  polledAt: number | null;
  dueAt: number | null;
  now: number;
}): boolean {
  const { polledAt, dueAt, now } = times;
  if (polledAt === null || polledAt < now - POLL_SECONDS) return false;
  return dueAt === null || dueAt > now - MATCH_SECONDS || polledAt > dueAt;
}
