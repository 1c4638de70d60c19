type Waiter = () => void;

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

  take(): Waiter | undefined {
    const [key, ofKey] = this.#byKey.entries().next().value ?? [];
    const [waiter] = ofKey ?? [];
    if (key === undefined || ofKey === undefined || waiter === undefined) return undefined;
    ofKey.delete(waiter);
    this.#byKey.delete(key);
    if (ofKey.size > 0) this.#byKey.set(key, ofKey);
    return waiter;
  }
}
