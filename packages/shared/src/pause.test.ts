import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { pause } from "./pause.ts";

test("a pause ends at the signal, or at once if that was before it, and leaves no listener", async () => {
  const stop = new AbortController();
  const paused = pause(60_000, stop.signal);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(1);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal);
  const { signal } = new AbortController();
  await pause(1, signal);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what is no end of a pause is not taken for one", async () => {
  await expect(pause(Symbol("no number") as never)).rejects.toThrow(TypeError);
});
