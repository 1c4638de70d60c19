import { expect, test } from "vitest";
import { durationMs, isDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["1s", 1_000],
  ["30s", 30_000],
  ["10m", 600_000],
  ["24h", 86_400_000],
  ["30d", 2_592_000_000],
])("%s is %i ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
  expect(isDuration(text)).toBe(true);
});

test.each([
  "",
  "0s",
  "-1s",
  "1",
  "s",
  "1.5s",
  "01s",
  "1 s",
  " 1s",
  "1s ",
  "1w",
  "1S",
  "1ss",
  "9999999999999999d",
  "1e3s",
  "constructor",
])("'%s' is no duration", (text) => {
  expect(() => durationMs(text)).toThrow(RangeError);
  expect(isDuration(text)).toBe(false);
});
