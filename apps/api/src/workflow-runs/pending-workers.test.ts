import { expect, test } from "vitest";
import { isPolled } from "./pending-workers.ts";

const now = 1_000_000;

test.each([
  ["nobody has ever asked", { polledAt: null, dueAt: null }, false],
  ["a worker has asked, nothing waits", { polledAt: now - 60, dueAt: null }, true],
  ["the last question is longer ago than one lasts", { polledAt: now - 76, dueAt: null }, false],
  ["due a moment ago, after the question", { polledAt: now - 40, dueAt: now - 1 }, true],
  ["due since long, and nobody has asked since", { polledAt: now - 40, dueAt: now - 30 }, false],
  ["due since long, others went first", { polledAt: now - 2, dueAt: now - 30 }, true],
])("whether a queue is polled: %s", (_, times, polled) => {
  expect(isPolled({ ...times, now })).toBe(polled);
});
