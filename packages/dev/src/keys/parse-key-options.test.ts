import { generateApiKey } from "@truerun/shared/api-keys";
import { UsageError } from "@truerun/shared/command-line";
import { expect, test } from "vitest";
import { parseKeyOptions } from "./parse-key-options.ts";

const ID = `cbak_${"0a".repeat(16)}`;

test("a key has no scopes unless some are given, each once", () => {
  const unless = { kind: "create", org: "acme" };
  expect(parseKeyOptions(["--org", "acme"])).toEqual({
    ...unless,
    name: "command line",
    scopes: [],
  });
  const scopes = "workflows:write, workflows:write";
  expect(parseKeyOptions(["--org", "acme", "--name", "ci", "--scopes", scopes])).toEqual({
    ...unless,
    name: "ci",
    scopes: ["workflows:write"],
  });
});

test("a key may expire", () => {
  const { validForMs } = parseKeyOptions(["--org", "acme", "--expires", "90d"]) as {
    validForMs: number;
  };
  expect(validForMs).toBe(90 * 24 * 3_600_000);
});

test("keys are listed, and revoked by id or text", () => {
  expect(parseKeyOptions(["--org", "acme", "--list"])).toEqual({ kind: "list", org: "acme" });
  for (const key of [ID, generateApiKey().text]) {
    expect(parseKeyOptions(["--revoke", key])).toEqual({ kind: "revoke", key });
  }
});

test.each([
  [[], "--org is missing"],
  [["--org", " "], "--org is empty"],
  [["--org", "x".repeat(256)], "--org is longer than 255 characters"],
  [["--org", "acme", "--scopes", "workflows:write,admin"], "unknown scope: admin"],
  [["--org", "acme", "--scopes", ""], "unknown scope: (empty)"],
  [["--org", "acme", "--owner", "me"], "--owner"],
  [["acme"], "acme"],
  [["--org", "acme", "--expires", "soon"], "--expires soon is no duration"],
  [["--org", "acme", "--expires", "36501d"], "--expires 36501d is no duration"],
  [["--list"], "--org is missing"],
  [["--org", "acme", "--list", "--name", "ci"], "--name does not go with --list"],
  [["--org", "acme", "--revoke", ID], "--org does not go with --revoke"],
  [["--revoke", "cbak_1"], "--revoke takes the id of a key"],
])("%j is refused with the reason and the usage", (args, reason) => {
  const parse = () => parseKeyOptions(args);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(reason);
  expect(parse).toThrow("Usage: npm run --silent key");
});
