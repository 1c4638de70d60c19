import { forgetOldest } from "@truerun/shared/forget-oldest";

/** A waiting request. */
export interface Waiter {
  weight: number;
  /** Ends its waiting. */
  begin(): void;
}

/** The waiting requests of a key. */
interface Line {
  /** When the first of them is due, in the queue's time. */
  due: number;
  waiters: Set<Waiter>;
}

/** Keys whose last turn is remembered while others wait. */
const MOST_SERVED = 10_000;

/**
 * Waiting requests; the keys take turns, by weight (start-time fair queueing). The queue's time is that at which the
 * request whose turn it was last was due; the next one of its key is due later by its weight.
 */
export class FairQueue {
  readonly #lines = new Map<string, Line>();
  /** Until when keys without waiting requests have had their turn. */
  readonly #served = new Map<string, number>();
  #time = 0;

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  add(key: string, waiter: Waiter): void {
    const line = this.#lines.get(key);
    if (line !== undefined) line.waiters.add(waiter);
    else {
      const due = Math.max(this.#time, this.#served.get(key) ?? 0);
      this.#lines.set(key, { due, waiters: new Set([waiter]) });
    }
  }

  /** Removes a request that does not wait any more, without a turn. */
  delete(key: string, waiter: Waiter): void {
    const line = this.#lines.get(key);
    line?.waiters.delete(waiter);
    if (line?.waiters.size === 0) this.#leave(key, line);
  }

  /** The first request of each key, in the order of their turns. */
  *firsts(): Generator<[key: string, waiter: Waiter]> {
    const passed = new Set<string>();
    for (let key = this.#findNext(passed); key !== undefined; key = this.#findNext(passed)) {
      const [waiter] = this.#lines.get(key)?.waiters ?? [];
      if (waiter !== undefined) yield [key, waiter];
      passed.add(key);
    }
  }

  /** Removes a request that has its turn. */
  take(key: string, waiter: Waiter): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    this.#time = Math.max(this.#time, line.due);
    line.due = this.#time + waiter.weight;
    this.delete(key, waiter);
  }

  #findNext(passed: ReadonlySet<string>): string | undefined {
    let next: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { due }] of this.#lines) {
      if (due < least && !passed.has(key)) [next, least] = [key, due];
    }
    return next;
  }

  #leave(key: string, { due }: Line): void {
    this.#lines.delete(key);
    if (this.isEmpty) {
      this.#served.clear();
      this.#time = 0;
    } else {
      this.#served.set(key, due);
      forgetOldest(this.#served, MOST_SERVED);
    }
  }
}
