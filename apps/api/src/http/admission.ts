// What the gateway takes on: beyond it, requests are refused before they cost anything.
import { overloaded } from "@truerun/shared/errors";
import type { Credential } from "./authenticate.ts";

/** Starts of runs, which Temporal has to take, and everything else that needs a key. */
export type LoadClass = "starts" | "others";

export type ShedReason = "places" | "key_share" | "bodies" | "wait" | "gone";

export interface AdmissionLimits {
  /** Requests that are worked at at once, at most; null: as many as are here. */
  working: number | null;
  /** Requests that are here at once: they are worked at, wait for that, or still arrive. */
  places: number;
  /** Bytes that their bodies may have together. */
  bodyBytes: number;
}

/** A request's way through the gateway. */
export interface Place {
  /** Says how many bytes the body turned out to have: fewer, where its size was not known before. */
  hasRead(bodyBytes: number): void;
  /**
   * Waits until the request may be worked at.
   *
   * @throws 503 when that takes too long, or its caller has hung up meanwhile
   */
  turn(caller: Caller): Promise<void>;
  /**
   * To be called in any case, once.
   *
   * @param isDone - whether all was done that such a request is about: what ended early was quick for nothing
   */
  leave(isDone: boolean): void;
}

/** Who waits for the answer. */
export interface Caller {
  isGone(): boolean;
  /** @returns what takes the listener away again */
  onGone(listener: () => void): () => void;
}

export interface Admission {
  /** Takes a request in whose body has so many bytes at most. @throws 503 when there is no place */
  enter(credential: Credential, bodyBytes: number): Place;
  /** How it stands: requests here, those of them that are worked at, and how many that may be now. */
  readonly state: Readonly<{ here: number; working: number; limit: number }>;
}

export interface AdmissionOptions {
  limits: AdmissionLimits;
  onShed: (reason: ShedReason) => void;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** How long a request waits to be worked at: a burst of a hundred gets through, and nobody waits for long. */
const WAIT_MS = 2_000;
/** Work that takes longer says that there is too much of it at once. */
const SLOW_MS = 1_000;
/** It is never less than this at once: as much as a Temporal that takes seconds for each still gets done. */
const MIN_WORKING = 8;
/** What is left of the limit after a slow request, and what a quick one adds. */
const BACK_OFF = 0.8;
const GROWTH = 0.1;

/**
 * Bounds what is here (memory, connections) and what is worked at (latency). The second limit follows what is
 * seen: a Temporal or Postgres that gets slow is given less at once, until it is quick again.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  return new BoundedAdmission(options);
}

type Waiter = () => void;

/** What requests hold: all of one key's, or of one what changes. */
interface Share {
  places: number;
  bodyBytes: number;
}

/** Who waits, taken from one key after the other. */
class Queue {
  readonly #byKey = new Map<string, Set<Waiter>>();

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

class BoundedAdmission implements Admission {
  readonly #limits: AdmissionLimits;
  readonly #onShed: (reason: ShedReason) => void;
  readonly #now: () => number;
  readonly #waiting = new Queue();
  readonly #hereByKey = new Map<string, Share>();
  #bodyBytes = 0;
  #backedOffAt = 0;
  readonly state: { here: number; working: number; limit: number };

  constructor({ limits, onShed, now = () => performance.now() }: AdmissionOptions) {
    this.#limits = limits;
    this.#onShed = onShed;
    this.#now = now;
    this.state = { here: 0, working: 0, limit: limits.working ?? limits.places };
  }

  enter({ keyHash }: Credential, bodyBytes: number): Place {
    const key = Buffer.from(keyHash).toString("base64");
    this.#assertRoom(this.#hereByKey.get(key) ?? { places: 0, bodyBytes: 0 }, bodyBytes);
    this.#take(key, { places: 1, bodyBytes });
    let held = bodyBytes;
    let startedAt: number | null = null;
    return {
      hasRead: (bytes) => {
        this.#take(key, { places: 0, bodyBytes: bytes - held });
        held = bytes;
      },
      turn: async (caller) => {
        await this.#turn(key, caller);
        startedAt = this.#now();
      },
      leave: (isDone) => {
        this.#take(key, { places: -1, bodyBytes: -held });
        if (startedAt !== null) this.#end(startedAt, isDone);
      },
    };
  }

  /** One key has half of each, so that something is left for others, whatever it does. */
  #assertRoom(ofKey: Share, bodyBytes: number): void {
    const { places, bodyBytes: allBytes } = this.#limits;
    if (this.state.here >= places) throw this.#shed("places");
    if (ofKey.places >= Math.ceil(places / 2)) throw this.#shed("key_share");
    const isFull = this.#bodyBytes + bodyBytes > allBytes;
    if (isFull || ofKey.bodyBytes + bodyBytes > allBytes / 2) throw this.#shed("bodies");
  }

  #take(key: string, { places, bodyBytes }: Share): void {
    const ofKey = this.#hereByKey.get(key) ?? { places: 0, bodyBytes: 0 };
    const left = { places: ofKey.places + places, bodyBytes: ofKey.bodyBytes + bodyBytes };
    if (left.places === 0) this.#hereByKey.delete(key);
    else this.#hereByKey.set(key, left);
    this.state.here += places;
    this.#bodyBytes += bodyBytes;
  }

  async #turn(key: string, caller: Caller): Promise<void> {
    if (caller.isGone()) throw this.#shed("gone");
    if (this.state.working < this.#allowed()) {
      this.state.working += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const refuse = (reason: ShedReason): void => {
        end();
        this.#waiting.delete(key, waiter);
        reject(this.#shed(reason));
      };
      const waiter = (): void => {
        end();
        resolve();
      };
      const timer = setTimeout(() => refuse("wait"), WAIT_MS);
      const forget = caller.onGone(() => refuse("gone"));
      const end = (): void => {
        clearTimeout(timer);
        forget();
      };
      this.#waiting.add(key, waiter);
    });
  }

  #allowed(): number {
    return Math.floor(this.state.limit);
  }

  #end(startedAt: number, isDone: boolean): void {
    this.#adapt(startedAt, isDone);
    this.state.working -= 1;
    while (this.state.working < this.#allowed()) {
      const waiter = this.#waiting.take();
      if (waiter === undefined) return;
      this.state.working += 1;
      waiter();
    }
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
    // What began before the last step back says nothing about what that changed.
    if (startedAt < this.#backedOffAt) return;
    this.#backedOffAt = now;
    state.limit = Math.max(Math.min(MIN_WORKING, working), state.limit * BACK_OFF);
  }

  #shed(reason: ShedReason) {
    this.#onShed(reason);
    return overloaded();
  }
}
