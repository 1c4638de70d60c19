import { expect, test } from "vitest";
import { toMaxCached } from "./worker.ts";

const GB = 1024 ** 3;

test.each([
  { heap: 4 * GB, runs: 512 },
  { heap: 2 * GB, runs: 256 },
  { heap: 0.25 * GB, runs: 50 },
])("with a heap of $heap bytes, $runs open runs stay in memory", ({ heap, runs }) => {
  expect(toMaxCached({ heap_size_limit: heap })).toBe(runs);
});
