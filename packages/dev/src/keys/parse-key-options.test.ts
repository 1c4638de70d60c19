import { expect, test } from "vitest";
import { UsageError } from "@truerun/shared/command-line";
import { parseKeyOptions } from "./parse-key-options.ts";

test("a key has no scopes unless some are given, each once", () => {
  expect(parseKeyOptions(["--org", "acme"])).toEqual({
    org: "acme",
    name: "command line",
    scopes: [],
  });
  const scopes = "workflows:write, workflows:write";
  expect(parseKeyOptions(["--org", "acme", "--name", "ci", "--scopes", scopes])).toEqual({
    org: "acme",
    name: "ci",
    scopes: ["workflows:write"],
  });
});

test.each([
  [[], "--org is missing"],
  [["--org", " "], "--org is empty"],
  [["--org", "x".repeat(256)], "--org is longer than 255 characters"],
  [["--org", "acme", "--scopes", "workflows:write,admin"], "unknown scope: admin"],
  [["--org", "acme", "--scopes", ""], "unknown scope: (empty)"],
  [["--org", "acme", "--owner", "me"], "--owner"],
  [["acme"], "acme"],
])("%j is refused with the reason and the usage", (args, reason) => {
  const parse = () => parseKeyOptions(args);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(reason);
  expect(parse).toThrow("Usage: npm run --silent key");
});
