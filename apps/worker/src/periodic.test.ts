import { setTimeout as delay } from "node:timers/promises";
import { createLogger } from "@truerun/shared/logger";
import { expect, test } from "vitest";
import { startPeriodic } from "./periodic.ts";

const logger = createLogger({ name: "test", level: "silent" });
const named = { name: "test", logger, metrics: { passDuration() {} } };

test("a stop ends a pass that would wait for ever, and there is no other", async () => {
  let passes = 0;
  const periodic = startPeriodic({
    ...named,
    intervalMs: 1,
    async pass(signal) {
      passes++;
      await delay(60_000, undefined, { signal });
      return true;
    },
  });
  await periodic.stop();
  expect(passes).toBe(1);
});

test("a pass that fails is followed by another; one that left something, at once", async () => {
  const results = [new Error("away"), true, false];
  const measured: string[] = [];
  const metrics = { passDuration: (loop: string) => void measured.push(loop) };
  await new Promise<void>((resolve) => {
    const periodic = startPeriodic({
      ...named,
      metrics,
      intervalMs: 1,
      pass() {
        const result = results.shift();
        if (result === undefined) void periodic.stop().then(resolve);
        return result instanceof Error ? Promise.reject(result) : Promise.resolve(result === true);
      },
    });
  });
  expect(results).toEqual([]);
  // Those three, and the one that stopped.
  expect(measured).toEqual(["test", "test", "test", "test"]);
});
