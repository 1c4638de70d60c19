import { setTimeout } from "node:timers/promises";

/** Waits `ms` milliseconds, or until the signal. Leaves no listener on the signal, and never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal && { signal }).catch(() => undefined);
}
