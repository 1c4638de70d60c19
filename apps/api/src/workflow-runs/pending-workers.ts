/** A worker asks for work again at least this often: a question waits at the server for a minute. */
const POLL_SECONDS = 75;
/** A task finds a worker that has asked within milliseconds; after so long there is none. */
const MATCH_SECONDS = 5;

/**
 * Whether a worker takes work from a task queue. Temporal lists a worker for minutes after it is gone, but
 * a task that was due before the last question and was not handed out had nobody to go to.
 *
 * @param times - unix seconds; `polledAt` null: nobody has asked lately; `dueAt` null: nothing waits
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
