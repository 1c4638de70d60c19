import { expect, test } from "vitest";
import { runOpenLoop } from "./open-loop.ts";

test("so many are started a second, whether the others have ended or not", async () => {
  let started = 0;
  const notSent = await runOpenLoop({
    perSecond: 200,
    durationMs: 200,
    maxInFlight: 1_000,
    once: async () => {
      started += 1;
      await new Promise((resolve) => setTimeout(resolve, 150));
    },
  });
  expect(started).toBeGreaterThan(20);
  expect(started).toBeLessThanOrEqual(40);
  expect(notSent).toBe(0);
});

test("what would be too many at once is counted instead", async () => {
  let started = 0;
  const notSent = await runOpenLoop({
    perSecond: 200,
    durationMs: 150,
    maxInFlight: 2,
    once: async () => {
      started += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
  });
  expect(started).toBe(2);
  expect(notSent).toBeGreaterThan(5);
});
