// Which of the requests in the gateway are processed now.
import { FairQueue, type Waiter } from "./fair-queue.ts";

/** Maximum weights of the requests that are processed at once; null: no such limit. */
export interface TurnLimits {
  /** Of all. Adapts to observed latency: a slow Temporal or Postgres gets less at once until it is quick again. */
  working: number | null;
  /** Of one key. */
  workingOfKey: number | null;
}

/** The client that waits for the answer. */
export interface Caller {
  isGone(): boolean;
  /** @returns a function that removes the listener */
  onGone(listener: () => void): () => void;
}

/**
 * How long a request waits to be processed. A burst of hundreds gets through; but when others have waited for as long
 * as that all the time, more come than can be done, and to let each wait would only make all of them late.
 */
const WAIT_MS = { inBurst: 5_000, inOverload: 2_000 } as const;
/** A request that takes longer indicates that too many are processed at once. */
const SLOW_MS = 1_000;
/** The lower bound of the limit: as many as can still be done when Temporal takes seconds for each. */
const MIN_WORKING = 8;
/** A slow request multiplies the limit by the first; a quick one adds the second. */
const BACK_OFF = 0.8;
const GROWTH = 0.1;
/**
 * A request weighs one, and one more for each of these bytes of its body: those of a megabyte of small values take the
 * gateway's only thread for some 0.2 s, in which nobody else's time limits are looked at.
 */
const BYTES_OF_WEIGHT = 64 * 1024;

type Refusal = "wait" | "gone";
type Shed = (reason: Refusal) => Error;

export class Turns {
  readonly #limits: TurnLimits;
  readonly #shed: Shed;
  readonly #now: () => number;
  readonly #waiting = new FairQueue();
  /** Since when somebody has always been waiting. */
  #waitedSince = 0;
  #backedOffAt = 0;
  readonly #workingByKey = new Map<string, number>();
  /** The weight of the requests that are processed, and what it may be now. */
  readonly state: { working: number; limit: number };

  /** @param now - a monotonic clock, in milliseconds */
  constructor(limits: TurnLimits, shed: Shed, now: () => number) {
    this.#limits = limits;
    this.#shed = shed;
    this.#now = now;
    this.state = { working: 0, limit: limits.working ?? Number.POSITIVE_INFINITY };
  }

  /**
   * Waits until a request may be processed.
   *
   * @returns to be called once, when it is not any more, and with whether it did its full work
   * @throws what `shed` returns when that takes too long or the caller has hung up
   */
  async take(key: string, bodyBytes: number, caller: Caller): Promise<(isDone: boolean) => void> {
    if (caller.isGone()) throw this.#shed("gone");
    const weight = 1 + Math.floor(bodyBytes / BYTES_OF_WEIGHT);
    await this.#wait(key, weight, caller);
    const startedAt = this.#now();
    return (isDone) => {
      this.#adapt(startedAt, isDone);
      this.#add(key, -weight);
      this.#letBegin();
    };
  }

  async #wait(key: string, weight: number, caller: Caller): Promise<void> {
    if (this.#waiting.isEmpty) {
      if (this.#hasRoom(weight) && this.#keyHasRoom(key, weight)) {
        this.#add(key, weight);
        return;
      }
      this.#waitedSince = this.#now();
    }
    // Where only a key's own limit makes requests wait, that says nothing about how much there is to do.
    const hasLimit = this.#limits.working !== null;
    const isOverload = hasLimit && this.#now() - this.#waitedSince > WAIT_MS.inBurst;
    await new Promise<void>((resolve, reject) => {
      const refuse = (reason: Refusal): void => {
        end();
        this.#waiting.delete(key, waiter);
        reject(this.#shed(reason));
        // Lighter ones may have waited behind it.
        this.#letBegin();
      };
      const waiter: Waiter = {
        weight,
        begin() {
          end();
          resolve();
        },
      };
      const patienceMs = isOverload ? WAIT_MS.inOverload : WAIT_MS.inBurst;
      const timer = setTimeout(() => refuse("wait"), patienceMs);
      const forget = caller.onGone(() => refuse("gone"));
      const end = (): void => {
        clearTimeout(timer);
        forget();
      };
      this.#waiting.add(key, waiter);
      this.#letBegin();
    });
  }

  /** One that is heavier than the limit is processed alone. */
  #hasRoom(weight: number): boolean {
    const { working, limit } = this.state;
    return working === 0 || working + weight <= Math.floor(limit);
  }

  #keyHasRoom(key: string, weight: number): boolean {
    const { workingOfKey: most } = this.#limits;
    const working = this.#workingByKey.get(key) ?? 0;
    return most === null || working === 0 || working + weight <= most;
  }

  #add(key: string, weight: number): void {
    const ofKey = (this.#workingByKey.get(key) ?? 0) + weight;
    if (ofKey === 0) this.#workingByKey.delete(key);
    else this.#workingByKey.set(key, ofKey);
    this.state.working += weight;
  }

  #letBegin(): void {
    for (let next = this.#findNext(); next !== undefined; next = this.#findNext()) {
      const [key, waiter] = next;
      this.#waiting.take(key, waiter);
      this.#add(key, waiter.weight);
      waiter.begin();
    }
  }

  /** A key that is at its own limit lets others pass; nobody passes one that is too heavy for what room there is. */
  #findNext(): [key: string, waiter: Waiter] | undefined {
    for (const [key, waiter] of this.#waiting.firsts()) {
      if (!this.#hasRoom(waiter.weight)) return undefined;
      if (this.#keyHasRoom(key, waiter.weight)) return [key, waiter];
    }
    return undefined;
  }

  #adapt(startedAt: number, isDone: boolean): void {
    const { working } = this.#limits;
    if (working === null) return;
    const { state } = this;
    const now = this.#now();
    if (now - startedAt <= SLOW_MS) {
      if (isDone) state.limit = Math.min(working, state.limit + GROWTH);
      return;
    }
    // A request that began before the last back-off says nothing about its effect.
    if (startedAt < this.#backedOffAt) return;
    this.#backedOffAt = now;
    state.limit = Math.max(Math.min(MIN_WORKING, working), state.limit * BACK_OFF);
  }
}
