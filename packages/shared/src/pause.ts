import { setTimeout } from "node:timers/promises";

/** Waits `ms` milliseconds, or until the signal. Leaves no listener on the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, signal && { signal });
  } catch (error) {
    // That the signal ended it is no failure of the pause; anything else is.
    if (signal?.aborted !== true) throw error;
  }
}
