import { pause } from "@truerun/shared/pause";

/** Far more than anything takes on a quiet machine: a busy one must not fail a test. */
const TIMEOUT_MS = 60_000;
/** Between two probes, which share the machine with what they wait for: more of it the longer that takes. */
const PAUSE_MS = { least: 20, most: 250, shareOfWait: 0.05 } as const;

/**
 * Waits until `probe` gives something other than undefined, null or false.
 *
 * @throws when it does not in time; the message says what was waited for and what was last seen
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const since = Date.now();
  let last = "nothing";
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      last = String(value);
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    const waitedMs = Date.now() - since;
    if (waitedMs > timeoutMs)
      throw new Error(`${what}: not within ${timeoutMs} ms (last: ${last})`);
    const { least, most, shareOfWait } = PAUSE_MS;
    await pause(Math.min(most, Math.max(least, waitedMs * shareOfWait)));
  }
}
