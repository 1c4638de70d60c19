import fc from "fast-check";
import { expect, test } from "vitest";
import { toCredential } from "./authenticate.ts";
import { createRateLimiter } from "./rate-limit.ts";

const credentialOf = (key: number) => toCredential(new Uint8Array([key]));

test("a burst passes, and then one request with each token", () => {
  let time = 5;
  const limiter = createRateLimiter({ perSecond: 4, burst: 3 }, () => time);
  const take = () => limiter.take(credentialOf(1));
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 250]);
  time += 100;
  expect(take()).toBeCloseTo(150);
  time += 150;
  expect([take(), take()]).toEqual([0, 250]);
  expect(limiter.take(credentialOf(2))).toBe(0);
});

test("whatever the requests, a key gets its burst and its rate, no more and no less", () => {
  const requests = fc.array(fc.record({ afterMs: fc.nat(2_000), key: fc.nat(2) }), {
    maxLength: 200,
  });
  const limit = fc.record({
    perSecond: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(limit, requests, ({ perSecond, burst }, all) => {
      let time = 0;
      const limiter = createRateLimiter({ perSecond, burst }, () => time);
      const tokens = new Map<number, { left: number; at: number }>();
      for (const { afterMs, key } of all) {
        time += afterMs;
        const { left, at } = tokens.get(key) ?? { left: burst, at: time };
        const now = Math.min(burst, left + ((time - at) * perSecond) / 1_000);
        const waitMs = limiter.take(credentialOf(key));
        expect(waitMs === 0).toBe(now > 1 - 1e-6);
        if (waitMs > 0) expect(waitMs).toBeCloseTo(((1 - now) * 1_000) / perSecond, 4);
        tokens.set(key, { left: now - (waitMs === 0 ? 1 : 0), at: time });
      }
    }),
  );
});

test("keys that come only once are forgotten and nothing of a key's bucket is", () => {
  let time = 0;
  const limiter = createRateLimiter({ perSecond: 1, burst: 2 }, () => time);
  for (let key = 0; key < 5_000; key += 1) {
    const keyHash = new Uint8Array(new Uint32Array([key]).buffer);
    limiter.take(toCredential(keyHash));
    time += 1;
    if (key % 500 !== 0) continue;
    limiter.take(credentialOf(7));
    // 1 token is added per 1,000 ms, but 2 are taken.
    if (key >= 2_000) expect(limiter.take(credentialOf(7))).toBeGreaterThan(0);
  }
});
