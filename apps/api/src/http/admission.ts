// Limits what the gateway takes on: requests beyond it are refused before they cost anything.
import type { Credential } from "./authenticate.ts";
import { overloaded } from "./errors.ts";
import { type Caller, type TurnLimits, Turns } from "./turns.ts";

/** Run starts, which depend on Temporal, and everything else that needs a key. */
export type LoadClass = "starts" | "others";

/**
 * Why a request was refused: all places are taken; its key has half of them; no memory is left for its body or answer;
 * its turn did not come in time; its caller hung up before that. The metric `truerun_http_shed_total` counts by it.
 */
export type ShedReason = "places" | "key_share" | "bodies" | "wait" | "gone";

export interface AdmissionLimits extends TurnLimits {
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
  /** Lets the next request begin already: what is left of this one waits for others than this process and Postgres. */
  endTurn(): void;
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

export interface Admission {
  /** Admits a request whose body has at most `bodyBytes`. @throws 503 when there is no place */
  enter(credential: Credential, bodyBytes: number): Place;
  /** How many requests are in the gateway, the weight of those being processed, and what it may be now. */
  readonly state: Readonly<{ here: number; working: number; limit: number }>;
}

export interface AdmissionOptions {
  limits: AdmissionLimits;
  onShed: (reason: ShedReason) => void;
  /** A monotonic clock, in milliseconds. */
  now?: () => number;
}

/** Bounds the requests in the gateway (memory, connections) and those being processed (latency). */
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
  readonly #turns: Turns;
  readonly #hereByKey = new Map<string, Share>();
  #here = 0;
  #bodyBytes = 0;

  constructor({ limits, onShed, now = () => performance.now() }: AdmissionOptions) {
    this.#limits = limits;
    this.#onShed = onShed;
    this.#turns = new Turns(limits, (reason) => this.#shed(reason), now);
  }

  get state(): Admission["state"] {
    return { here: this.#here, ...this.#turns.state };
  }

  enter({ keyName: key }: Credential, bodyBytes: number): Place {
    this.#assertPlaces(key);
    this.#assertBytes(key, bodyBytes);
    this.#take(key, { places: 1, bodyBytes });
    let held = bodyBytes;
    let endTurn: ((isDone: boolean) => void) | undefined;
    return {
      hasRead: (bytes) => {
        this.#take(key, { places: 0, bodyBytes: bytes - held });
        held = bytes;
      },
      turn: async (caller) => {
        endTurn = await this.#turns.take(key, held, caller);
      },
      endTurn: () => {
        endTurn?.(false);
        endTurn = undefined;
      },
      holdAnswer: (bytes, isRead) => {
        // One more, however large, has room where there was some left.
        if (isRead) this.#assertBytes(key, 0);
        this.#take(key, { places: 0, bodyBytes: bytes });
        return () => this.#take(key, { places: 0, bodyBytes: -bytes });
      },
      leave: (isDone) => {
        this.#take(key, { places: -1, bodyBytes: -held });
        endTurn?.(isDone);
      },
    };
  }

  /** A key gets at most half of the places, so that others always have some left. */
  #assertPlaces(key: string): void {
    const { places } = this.#limits;
    if (this.#here >= places) throw this.#shed("places");
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
    this.#here += places;
    this.#bodyBytes += bodyBytes;
  }

  #shed(reason: ShedReason) {
    this.#onShed(reason);
    return overloaded();
  }
}
