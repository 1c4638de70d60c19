import type { Connection } from "@temporalio/client";
import { setMaxListeners } from "node:events";

/**
 * @returns a function that bounds all calls to Temporal made by some work: by a deadline `ms` after its start, and
 * by the signal
 */
export function boundCalls(
  connection: Pick<Connection, "withAbortSignal" | "withDeadline">,
): <T>(signal: AbortSignal, ms: number, work: () => Promise<T>) => Promise<T> {
  return async (signal, ms, work) => {
    signal.throwIfAborted();
    // Each call adds a listener to its signal and never removes it: a long-lived signal would keep them all.
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
