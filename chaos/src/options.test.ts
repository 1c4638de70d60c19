import { expect, test } from "vitest";
import { UsageError } from "@truerun/shared/command-line";
import { parseOptions } from "./options.ts";

test("runs and faults follow the minutes unless they are given", () => {
  expect(parseOptions(["--minutes", "0.5"])).toEqual({
    seed: 1,
    minutes: 0.5,
    runs: 50,
    faults: 3,
    times: false,
  });
  expect(parseOptions(["--seed", "7", "--runs", "40", "--faults", "12", "--times"])).toEqual({
    seed: 7,
    minutes: 2,
    runs: 40,
    faults: 12,
    times: true,
  });
});

test.each([
  ["--minutes", "-1"],
  ["--minutes", "soon"],
  ["--seed", "1.5"],
  ["--runs", ""],
  ["--nope", "1"],
])("%s %s is refused with the usage", (...args) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow("Usage: npm run chaos");
});
