import { expect, test } from "vitest";
import { median, percentile } from "./statistics.ts";

test("a percentile is a value that was seen, with that share of all at or below it", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentile(values, 50)).toBe(100);
  expect(percentile(values, 99)).toBe(198);
  expect(percentile(values, 100)).toBe(200);
  expect(percentile([7], 99)).toBe(7);
});

test("a median is the middle one, or between the two in the middle", () => {
  expect(median([30, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 30])).toBe(3);
});

test("of nothing there is neither", () => {
  expect(percentile([], 50)).toBeNaN();
  expect(median([])).toBeNaN();
});
