import { expect, test } from "vitest";
import { UsageError } from "@truerun/shared/command-line";
import { parseAuditOptions } from "./audit-options.ts";

const now = new Date("2026-03-02T12:00:00Z");
const id = `cbwr_${"a".repeat(32)}`;

test("without arguments everything is looked at and nothing repaired", () => {
  expect(parseAuditOptions([], now)).toEqual({ repair: false, runs: [], since: null });
});

test.each([
  ["24h", "2026-03-01T12:00:00Z"],
  ["2026-01-31", "2026-01-31T00:00:00Z"],
  ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"],
])("--since %s", (since, date) => {
  expect(parseAuditOptions(["--since", since], now).since).toEqual(new Date(date));
});

test("runs add up", () => {
  const other = `cbwr_${"b".repeat(32)}`;
  const options = parseAuditOptions(["--run", id, "--repair", "--run", other], now);
  expect(options).toEqual({ repair: true, runs: [id, other], since: null });
});

test.each([
  [["--since", "yesterday"], /'yesterday' is neither a duration nor a date/],
  [["--run", "x"], /'x' is not the id of a run/],
  [["--fix"], /--fix/],
  [["everything"], /everything/],
])("%j is refused with the usage", (args, message) => {
  expect(() => parseAuditOptions(args, now)).toThrow(UsageError);
  expect(() => parseAuditOptions(args, now)).toThrow(message);
  expect(() => parseAuditOptions(args, now)).toThrow(/Usage: npm run audit/);
});
