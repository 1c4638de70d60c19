// How long Temporal may take. A frozen one never answers, and the SDK by itself waits for it: every call needs one of
// these.
//
// - `withTemporalDeadline`, here: somebody waits for the answer, such as a caller of the API. It gives up on time
//   whatever the SDK does. The dispatcher chooses its deadline by whether Temporal seems to be away.
// - `connection.withDeadline`, the SDK's own: one call in the background, where a pause of the SDK between two tries
//   may come on top.
// - `callTimeoutMs` of `createTemporalClient`: a limit for each call of a process that makes many, one after another;
//   the deadlines above may be shorter. Workers and the audit have it, gateways do not.
// - `boundCalls` (apps/worker/src/bound-calls.ts): no deadline at all; the calls end when their work is to stop.
//
// Whether Temporal is there is asked by `pingTemporal`, except where another question is meant: whether it answers for
// runs (apps/worker/src/unless-away.ts), or has the namespace (packages/dev/src/start/start-stores.ts).
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

/**
 * Asks Temporal for any answer at all; it says nothing about a namespace.
 *
 * @throws when there is none within that time, give or take a pause between two of the SDK's tries
 */
export async function pingTemporal(
  connection: Pick<Connection, "withDeadline" | "workflowService">,
  withinMs: number,
): Promise<void> {
  await connection.withDeadline(Date.now() + withinMs, () =>
    connection.workflowService.getSystemInfo({}),
  );
}
