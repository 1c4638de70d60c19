import { setMaxListeners } from "node:events";
import { type Client, Connection } from "@temporalio/client";

/**
 * Whether the calls of the work that asks have been ended. The SDK's own context tells: another one would cost
 * something at each promise of the process.
 */
export function isStopped({ connection }: Pick<Client, "connection">): boolean {
  if (!(connection instanceof Connection)) return false;
  return connection.callContextStorage.getStore()?.abortSignal?.aborted === true;
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
      return await connection.callContextStorage.run(context, work);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}

type CallContext = NonNullable<ReturnType<Connection["callContextStorage"]["getStore"]>>;
