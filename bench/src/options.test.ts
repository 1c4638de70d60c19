import { expect, test } from "vitest";
import { UsageError } from "@truerun/shared/command-line";
import { parseOptions } from "./options.ts";

test("everything is compared if nothing is said", () => {
  expect(parseOptions([])).toEqual({
    only: ["accept", "ends", "reads", "busy"],
    systems: ["raw", "raw-local", "naive", "service", "local", "untouched", "dbos"],
    rounds: 5,
    isQuick: false,
    name: undefined,
    isForDocs: false,
    minutes: 10,
    runs: 10_000,
    seconds: 60,
  });
});

test("the quick way goes round once, and installs nothing", () => {
  const options = parseOptions(["--quick"]);
  expect(options.rounds).toBe(1);
  expect(options.systems).not.toContain("dbos");
});

test("what is named is measured in the bench's own order", () => {
  const options = parseOptions(["--only", "reads,accept", "--systems", "service, raw"]);
  expect(options).toMatchObject({ only: ["accept", "reads"], systems: ["raw", "service"] });
});

test.each([
  [["--rounds", "0"], `--rounds is "0"`],
  [["--only", "ends,speed"], "--only has no speed"],
  [["--systems", "restate"], "--systems has no restate"],
  [["--name", "../x"], `--name is "../x"`],
  [["--minutes", "0.5"], `--minutes is "0.5"`],
  [["--fast"], "--fast"],
])("%j is refused with the usage", (args, fault) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(fault);
  expect(() => parseOptions(args)).toThrow("Usage: npm run bench");
});
