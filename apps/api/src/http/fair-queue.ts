/** A waiting request. */
export interface Waiter {
  weight: number;
  /** Ends its waiting. */
  begin(): void;
}

/** Waiting requests; the keys take turns. */
export class FairQueue {
  readonly #byKey = new Map<string, Set<Waiter>>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  add(key: string, waiter: Waiter): void {
    const ofKey = this.#byKey.get(key);
    if (ofKey === undefined) this.#byKey.set(key, new Set([waiter]));
    else ofKey.add(waiter);
  }

  delete(key: string, waiter: Waiter): void {
    const ofKey = this.#byKey.get(key);
    ofKey?.delete(waiter);
    if (ofKey?.size === 0) this.#byKey.delete(key);
  }

  /** The first request of each key, the key whose turn it is first. */
  *firsts(): Generator<[key: string, waiter: Waiter]> {
    for (const [key, ofKey] of this.#byKey) {
      const [waiter] = ofKey;
      if (waiter !== undefined) yield [key, waiter];
    }
  }

  /** Removes a request that had its turn: its key is last in line now. */
  take(key: string, waiter: Waiter): void {
    this.delete(key, waiter);
    const others = this.#byKey.get(key);
    if (others === undefined) return;
    this.#byKey.delete(key);
    this.#byKey.set(key, others);
  }
}
