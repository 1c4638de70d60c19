// Limits what the gateway takes on: requests beyond it are refused before they cost anything.
import { overloaded } from "@truerun/shared/errors";
import type { Credential } from "./authenticate.ts";
import { FairQueue } from "./fair-queue.ts";

/** Run starts, which depend on Temporal, and everything else that needs a key. */
export type LoadClass = "starts" | "others";

export type ShedReason = "places" | "key_share" | "bodies" | "wait" | "gone";

export interface AdmissionLimits {
  /** Maximum requests processed at once; null: no limit but `places`. */
  working: number | null;
  /** Maximum requests in the gateway at once: being processed, waiting for that, or still arriving. */
  places: number;
  /** Maximum size of all their bodies, and of large answers that their callers have not read, together. */
  bodyBytes: number;
}

/** One request's place in the gateway. */
export interface Place {
  /** Reports the body's actual size: less than assumed if it was not known before. */
  hasRead(bodyBytes: number): void;
  /**
   * Waits until the request may be processed.
   *
   * @throws 503 when that takes too long or the caller has hung up
   */
  turn(caller: Caller): Promise<void>;
  /**
   * Counts an answer's bytes like a body's. Unlike the place they are kept until the caller has read them.
   *
   * @param isRead - whether the answer is to a request that may be refused still
   * @returns to be called once, when that is so
   * @throws 503 when there is no room for the answer and it may be refused
   */
  holdAnswer(bytes: number, isRead: boolean): () => void;
  /**
   * Must be called exactly once, in any case.
   *
   * @param isDone - whether the request did its full work: being quick means nothing if it ended early
   */
  leave(isDone: boolean): void;
}

/** The client that waits for the answer. */
export interface Caller {
  isGone(): boolean;
  /** @returns a function that removes the listener */
  onGone(listener: () => void): () => void;
}

export interface Admission {
  /** Admits a request whose body has at most `bodyBytes`. @throws 503 when there is no place */
  enter(credential: Credential, bodyBytes: number): Place;
  /** How many requests are in the gateway, how many of them are being processed, and how many may be now. */
  readonly state: Readonly<{ here: number; working: number; limit: number }>;
}

export interface AdmissionOptions {
  limits: AdmissionLimits;
  onShed: (reason: ShedReason) => void;
  /** A monotonic clock, in milliseconds. */
  now?: () => number;
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
 * Bounds the requests in the gateway (memory, connections) and those being processed (latency). The second
 * limit adapts to observed latency: a slow Temporal or Postgres gets less at once until it is quick again.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  return new BoundedAdmission(options);
}

/** What a key's requests hold in total, or a change to that. */
interface Share {
  places: number;
  bodyBytes: number;
}

class BoundedAdmission implements Admission {
  readonly #limits: AdmissionLimits;
  readonly #onShed: (reason: ShedReason) => void;
  readonly #now: () => number;
  readonly #waiting = new FairQueue();
  /** Since when somebody has always been waiting. */
  #waitedSince = 0;
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

  enter({ keyName: key }: Credential, bodyBytes: number): Place {
    this.#assertPlaces(key);
    this.#assertBytes(key, bodyBytes);
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
      holdAnswer: (bytes, isRead) => {
        // One more, however large, has room where there was some left.
        if (isRead) this.#assertBytes(key, 0);
        this.#take(key, { places: 0, bodyBytes: bytes });
        return () => this.#take(key, { places: 0, bodyBytes: -bytes });
      },
      leave: (isDone) => {
        this.#take(key, { places: -1, bodyBytes: -held });
        if (startedAt !== null) this.#end(startedAt, isDone);
      },
    };
  }

  /** A key gets at most half of the places, so that others always have some left. */
  #assertPlaces(key: string): void {
    const { places } = this.#limits;
    if (this.state.here >= places) throw this.#shed("places");
    if (this.#shareOf(key).places >= Math.ceil(places / 2)) throw this.#shed("key_share");
  }

  /** As for places. */
  #assertBytes(key: string, bytes: number): void {
    const { bodyBytes: all } = this.#limits;
    const isFull = this.#bodyBytes + bytes > all;
    if (isFull || this.#shareOf(key).bodyBytes + bytes > all / 2) throw this.#shed("bodies");
  }

  #shareOf(key: string): Share {
    return this.#hereByKey.get(key) ?? { places: 0, bodyBytes: 0 };
  }

  #take(key: string, { places, bodyBytes }: Share): void {
    const ofKey = this.#shareOf(key);
    const left = { places: ofKey.places + places, bodyBytes: ofKey.bodyBytes + bodyBytes };
    if (left.places === 0 && left.bodyBytes === 0) this.#hereByKey.delete(key);
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
    if (this.#waiting.isEmpty) this.#waitedSince = this.#now();
    const isOverload = this.#now() - this.#waitedSince > WAIT_MS.inBurst;
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
      const patienceMs = isOverload ? WAIT_MS.inOverload : WAIT_MS.inBurst;
      const timer = setTimeout(() => refuse("wait"), patienceMs);
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
    // A request that began before the last back-off says nothing about its effect.
    if (startedAt < this.#backedOffAt) return;
    this.#backedOffAt = now;
    state.limit = Math.max(Math.min(MIN_WORKING, working), state.limit * BACK_OFF);
  }

  #shed(reason: ShedReason) {
    this.#onShed(reason);
    return overloaded();
  }
}
