import type { ApiConfig } from "../config.ts";
import type { Authenticator, Credential } from "./authenticate.ts";
import { rateLimited } from "./errors.ts";

export interface RateLimit {
  /** Requests per second that a key may sustain. */
  perSecond: number;
  /** Requests that a key may make at once when it has made none for a while. */
  burst: number;
}

/** @returns undefined when keys have no limit */
export function toRateLimit({
  RATE_LIMIT_PER_KEY: perSecond,
  RATE_LIMIT_BURST: burst,
}: Pick<ApiConfig, "RATE_LIMIT_PER_KEY" | "RATE_LIMIT_BURST">): RateLimit | undefined {
  return perSecond === undefined ? undefined : { perSecond, burst: burst ?? perSecond };
}

/** A bucket of tokens for each key of this process. */
export interface RateLimiter {
  /** Takes a request's token. @returns milliseconds until there is one; 0 when it was taken */
  take(credential: Credential): number;
}

/** With fewer buckets than this, nothing is cleaned up. */
const MIN_TIDIED = 1_000;

/**
 * Keeps one number per key: the time at which its bucket will be full. This is exact, and full buckets need
 * not be kept.
 *
 * @param now - a monotonic clock, in milliseconds
 */
export function createRateLimiter(
  { perSecond, burst }: RateLimit,
  now: () => number = () => performance.now(),
): RateLimiter {
  const tokenMs = 1_000 / perSecond;
  const fullAt = new Map<string, number>();
  let tidyAt = MIN_TIDIED;

  function forgetFull(time: number): void {
    for (const [name, full] of fullAt) if (full <= time) fullAt.delete(name);
    tidyAt = Math.max(MIN_TIDIED, 2 * fullAt.size);
  }

  return {
    take({ keyName }) {
      const time = now();
      if (fullAt.size >= tidyAt) forgetFull(time);
      const full = Math.max(fullAt.get(keyName) ?? 0, time) + tokenMs;
      const waitMs = full - time - burst * tokenMs;
      // Tolerates the rounding error of adding up many tokens.
      if (waitMs > 1e-6) return waitMs;
      fullAt.set(keyName, full);
      return 0;
    },
  };
}

/**
 * Holds a key to its rate. Only a good key is told that it exceeded it: a bad one still gets 401.
 *
 * @throws 429 with `Retry-After`; 401
 */
export async function assertWithinRate(
  limiter: RateLimiter,
  authenticator: Authenticator,
  credential: Credential,
): Promise<void> {
  const waitMs = limiter.take(credential);
  if (waitMs === 0) return;
  if (!authenticator.wasGood(credential)) await authenticator.lookUp(credential, null, "others");
  throw rateLimited(waitMs);
}
