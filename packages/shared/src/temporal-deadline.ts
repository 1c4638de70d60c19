import type { Connection } from "@temporalio/client";

/** Temporal did not answer in time. It may still do what was asked: a frozen server does when it wakes. */
export class TemporalDeadlineError extends Error {
  override name = "TemporalDeadlineError";
}

/** The part of a client's `connection` that is used here. */
type Abortable = Pick<Connection, "withAbortSignal">;

/**
 * Calls Temporal and waits for the answer no longer than `deadlineMs`.
 *
 * @throws TemporalDeadlineError, or whatever the calls throw
 */
export async function withTemporalDeadline<T>(
  connection: Abortable,
  deadlineMs: number,
  calls: () => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // The SDK's retry timer ignores both deadline and abort, so the answer is raced as well.
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TemporalDeadlineError(`no answer within ${deadlineMs} ms`));
      abort.abort();
    }, deadlineMs);
  });
  const answer = connection.withAbortSignal(abort.signal, calls);
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
