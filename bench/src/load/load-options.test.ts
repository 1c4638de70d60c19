import { expect, it } from "vitest";
import { parseLoadOptions } from "./load-options.ts";

it("loads a million runs over thirty days when nothing else is wanted", () => {
  expect(parseLoadOptions([])).toMatchObject({ runs: 1_000_000, otherRuns: 300_000, days: 30 });
  const some = ["--runs", "5", "--days", "1.5", "--steps-share", "1"];
  expect(parseLoadOptions(some)).toMatchObject({ runs: 5, days: 1.5, withSteps: 1 });
});

it.each([["--runs", "many"], ["--runs", "1.5"], ["--steps-share", "2"], ["--no"]])(
  "refuses %s %s",
  (...args) => {
    expect(() => parseLoadOptions(args)).toThrow("Usage: npm run bench:load");
  },
);
