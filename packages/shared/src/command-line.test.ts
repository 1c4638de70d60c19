import { expect, test } from "vitest";
import { parseCommandLine, UsageError } from "./command-line.ts";

const COMMAND = { usage: "Usage: try [--n N]", options: { n: { type: "string" } } } as const;

function failureOf(args: readonly string[]): UsageError {
  try {
    parseCommandLine(args, COMMAND);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error("It was taken.");
}

test("options are read", () => {
  expect(parseCommandLine(["--n", "7"], COMMAND).values).toEqual({ n: "7" });
});

test.each([["--m"], ["--n"], ["seven"]])(
  "%s is refused with what was wrong and the usage",
  (arg) => {
    const { message, isHelp } = failureOf([arg]);
    expect(isHelp).toBe(false);
    expect(message).toContain(arg);
    expect(message).toContain("\nUsage: try");
  },
);

test("--help gives the usage, and is no fault", () => {
  expect(failureOf(["--m", "--help"])).toMatchObject({ isHelp: true, message: COMMAND.usage });
});
