/** What a component did to the world, by the idempotency key of its step. */
export interface EffectLedger {
  /**
   * What has happened for a key so far, one entry per effect: `["mail to ada@example.com"]`. What was done
   * twice is listed twice; what a system recognized as a repeat, and did not do again, is listed once.
   */
  effects(idempotencyKey: string): readonly string[] | Promise<readonly string[]>;
  /**
   * From now on, the effects of a key happen but are not answered until the returned function is called.
   * Without it, attempts are killed, canceled and timed out as soon as the first effect is seen.
   */
  hold?(idempotencyKey: string): () => void;
}

/** An effect that a system was asked for. */
export interface RequestedEffect {
  idempotencyKey: string;
  /** What it is, in the same words each time. */
  effect: string;
  /** How the system recognizes a repeat: another request with the same value does nothing. */
  recognizedBy: string | undefined;
}

/** A ledger for systems that a test plays itself. */
export interface RecordingLedger extends EffectLedger {
  /** Call it when the effect is done, and answer once it resolves. */
  record(requested: RequestedEffect): Promise<void>;
}

/** A ledger for a system that a test plays itself: a server that counts what it is asked to do. */
export function createLedger(): RecordingLedger {
  const done = new Map<string, RequestedEffect[]>();
  const held = new Map<string, Promise<void>>();
  return {
    effects: (key) => (done.get(key) ?? []).map(({ effect }) => effect),
    async record(requested) {
      const { idempotencyKey: key, recognizedBy } = requested;
      const before = done.get(key) ?? [];
      const isRepeat =
        recognizedBy !== undefined && before.some((each) => each.recognizedBy === recognizedBy);
      if (!isRepeat) done.set(key, [...before, requested]);
      await held.get(key);
    },
    hold(key) {
      let release = (): void => undefined;
      held.set(key, new Promise((resolve) => (release = resolve)));
      return () => {
        held.delete(key);
        release();
      };
    },
  };
}
