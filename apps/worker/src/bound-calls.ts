import { AsyncLocalStorage } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import type { Connection } from "@temporalio/client";

const signals = new AsyncLocalStorage<AbortSignal>();

/** Whether the calls of the work that asks have been ended. */
export function isStopped(): boolean {
  return signals.getStore()?.aborted === true;
}

/**
 * @returns a function that ends all calls to Temporal made by some work when the signal is aborted, those that it
 * makes later at once
 */
export function boundCalls(
  connection: Pick<Connection, "callContextStorage">,
): <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  return async (signal, work) => {
    signal.throwIfAborted();
    // Each call adds a listener to its signal and never removes it: a long-lived signal would keep them all.
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    const context: CallContext = { abortSignal: own.signal };
    const abort = (): void => {
      // The SDK cancels only calls that are under way.
      context.deadline = 0;
      own.abort(signal.reason);
    };
    signal.addEventListener("abort", abort);
    try {
      return await signals.run(own.signal, () => connection.callContextStorage.run(context, work));
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}

type CallContext = NonNullable<ReturnType<Connection["callContextStorage"]["getStore"]>>;
