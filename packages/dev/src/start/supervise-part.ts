import { pause } from "@truerun/shared/pause";
import type { ManagedProcess } from "../processes/managed-process.ts";

/** A running part of the system. */
export interface RunningPart {
  process: ManagedProcess;
  /** Ends it in order. */
  stop(): Promise<void>;
}

export interface PartSpec<T extends RunningPart> {
  /** Its name in messages. */
  name: string;
  /** Also called to restart it, so it takes the same port each time. */
  start: () => Promise<T>;
  /** Called when it has ended by itself, and when it is back. */
  say: (message: string) => void;
}

export interface SupervisedPart<T extends RunningPart> {
  /** The part as it was first started. */
  first: T;
  stop(): Promise<void>;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** A part that ran this long did not fail because of how it starts. */
const SETTLED_MS = 30_000;

/**
 * Starts a part and restarts it whenever it ends by itself, waiting longer each time.
 *
 * @throws what the first start throws
 */
export async function supervisePart<T extends RunningPart>(
  spec: PartSpec<T>,
): Promise<SupervisedPart<T>> {
  const first = await spec.start();
  const stopping = new AbortController();
  let current: T | null = first;

  async function keep(): Promise<void> {
    let delayMs = FIRST_DELAY_MS;
    for (;;) {
      const startedAt = Date.now();
      const { code, signal } = (await current?.process.exited) ?? {};
      if (stopping.signal.aborted) return;
      if (current !== null) spec.say(`${spec.name} ended (${signal ?? `exit code ${code}`})`);
      if (Date.now() - startedAt > SETTLED_MS) delayMs = FIRST_DELAY_MS;
      current = null;
      await pause(delayMs, stopping.signal);
      if (stopping.signal.aborted) return;
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
      try {
        current = await spec.start();
        // If `stop` was called meanwhile, it waits for this to return, and then ends what has come up.
        if (stopping.signal.aborted) return;
        spec.say(`${spec.name} is back`);
      } catch (error) {
        spec.say(
          `${spec.name} does not start: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }

  const kept = keep();
  return {
    first,
    async stop() {
      stopping.abort();
      // A part that is just being restarted is known only once it has started.
      if (current === null) await kept;
      await current?.stop();
      await kept;
    },
  };
}
