import type { Logger } from "@truerun/shared/logger";
import { pause } from "@truerun/shared/pause";

/** A service that the worker needs was not there in time. */
export class StartError extends Error {
  constructor(what: string, patienceMs: number, cause: unknown) {
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    super(`${what} could not be used within ${patienceMs / 1_000} s: ${String(reason)}`, { cause });
  }
}

/**
 * Tries until it works or patience runs out: services may be started in any order.
 *
 * @throws StartError when patience runs out; the signal's reason when the process has to end before
 */
export async function patiently<T>(
  what: string,
  { logger, patienceMs, signal }: { logger: Logger; patienceMs: number; signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > end) throw new StartError(what, patienceMs, error);
      logger.warn({ err: error }, `${what} does not answer yet`);
      await pause(1_000, signal);
      signal.throwIfAborted();
    }
  }
}
