// How long Temporal may take. A frozen one never answers, and the SDK by itself waits for it: every call needs one of
// these.
//
// - `withTemporalDeadline`, here: somebody waits for the answer, such as a caller of the API. It gives up on time
//   whatever the SDK does. The dispatcher chooses its deadline by whether Temporal seems to be away.
// - `connection.withDeadline`, the SDK's own: one call in the background.
// - `callTimeoutMs` of `createTemporalClient`: a limit for each call of a process that makes many, one after another;
//   the deadlines above may be shorter. Workers and the audit have it, gateways do not.
// - `boundCalls` (apps/worker/src/bound-calls.ts): no deadline at all; the calls end when their work is to stop.
//
// Whether Temporal is there is asked by `pingTemporal`, except where another question is meant: whether it answers for
// runs (apps/worker/src/unless-away.ts), or has the namespace (packages/dev/src/start/start-stores.ts).
import { Connection } from "@temporalio/client";
import { GRPC, hasGrpcCode } from "./grpc-error.ts";

/** Temporal did not answer in time. It may still do what was asked: a frozen server does when it wakes. */
export class TemporalDeadlineError extends Error {
  override name = "TemporalDeadlineError";
}

/** The part of a client's `connection` that is used here. */
type Abortable = Pick<Connection, "withAbortSignal" | "withDeadline">;

/**
 * Calls Temporal and waits for the answer no longer than `deadlineMs`. After that every call fails at once, whatever
 * `calls` goes on to do.
 *
 * @param calls - gets a signal that is aborted at the deadline, for what it does between two calls
 * @throws TemporalDeadlineError, or whatever the calls throw
 */
export async function withTemporalDeadline<T>(
  connection: Abortable,
  deadlineMs: number,
  calls: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const { signal } = abort;
  const deadline = Date.now() + deadlineMs;
  const deadlineError = () => new TemporalDeadlineError(`no answer within ${deadlineMs} ms`);
  let timer: NodeJS.Timeout | undefined;
  // A pause between two calls ends by no deadline, so the answer is raced as well.
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(deadlineError());
      abort.abort();
    }, deadlineMs);
  });
  // The abort alone would end only the calls that are under way: the SDK does not look at it before it makes another
  // one, or tries one again after a pause.
  const answer = connection.withDeadline(Math.min(deadline, deadlineAround(connection)), () =>
    connection.withAbortSignal(signal, () => calls(signal)),
  );
  try {
    return await Promise.race([answer, silence]);
  } catch (error) {
    const isLate = Date.now() >= deadline && hasGrpcCode(error, [GRPC.DEADLINE_EXCEEDED]);
    throw isLate ? deadlineError() : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What the work around these calls has set, which the SDK would replace. */
function deadlineAround(connection: Abortable): number {
  if (!(connection instanceof Connection)) return Number.POSITIVE_INFINITY;
  const { deadline } = connection.callContextStorage.getStore() ?? {};
  return Number(deadline ?? Number.POSITIVE_INFINITY);
}

/**
 * Asks Temporal for any answer at all; it says nothing about a namespace.
 *
 * @throws when there is none within that time
 */
export async function pingTemporal(
  connection: Pick<Connection, "withDeadline" | "workflowService">,
  withinMs: number,
): Promise<void> {
  await connection.withDeadline(Date.now() + withinMs, () =>
    connection.workflowService.getSystemInfo({}),
  );
}
