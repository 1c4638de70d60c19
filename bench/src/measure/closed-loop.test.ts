import { expect, test } from "vitest";
import { runClosedLoop } from "./closed-loop.ts";

const once = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test("so many are under way at once, and only what ends within the window counts", async () => {
  let underWay = 0;
  let most = 0;
  let ended = 0;
  const seen: string[] = [];
  const result = await runClosedLoop({
    inFlight: 3,
    warmUpMs: 40,
    windowMs: 60,
    onOpen: () => void seen.push("opened"),
    onClose: () => void seen.push("closed"),
    async once() {
      most = Math.max(most, (underWay += 1));
      await once();
      underWay -= 1;
      ended += 1;
    },
  });
  expect(most).toBe(3);
  expect(seen).toEqual(["opened", "closed"]);
  expect(result.count).toBe(result.latencies.length);
  expect(result.count).toBeGreaterThan(0);
  // Those that ended in the warm-up are not counted.
  expect(result.count).toBeLessThan(ended);
  expect(Math.min(...result.latencies)).toBeGreaterThanOrEqual(4);
  expect(underWay).toBe(0);
});

test("what fails is not measured", async () => {
  const failing = runClosedLoop({
    inFlight: 2,
    warmUpMs: 10,
    windowMs: 10_000,
    once: () => Promise.reject(new Error("it was refused")),
  });
  await expect(failing).rejects.toThrow("it was refused");
});

test("a window in which nothing ends stays open until something does", async () => {
  const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 120));
  const result = await runClosedLoop({ inFlight: 2, warmUpMs: 1, windowMs: 1, once: slow });
  expect(result.count).toBeGreaterThan(0);
  expect(result.perSecond).toBeLessThan(200);
});
