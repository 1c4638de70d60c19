import type { Connection } from "@temporalio/client";
import { setMaxListeners } from "node:events";

/**
 * @returns what lets Temporal's answers to all calls of some work take so long at most, and no longer than until
 * the signal
 */
export function boundCalls(
  connection: Pick<Connection, "withAbortSignal" | "withDeadline">,
): <T>(signal: AbortSignal, ms: number, work: () => Promise<T>) => Promise<T> {
  return async (signal, ms, work) => {
    signal.throwIfAborted();
    // Each call listens to its signal, and never stops: a signal that lasts would keep all that was ever called.
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    const abort = (): void => own.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      return await connection.withAbortSignal(own.signal, () =>
        connection.withDeadline(Date.now() + ms, work),
      );
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}
