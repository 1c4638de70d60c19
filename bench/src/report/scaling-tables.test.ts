import { expect, test } from "vitest";
import type { SoakResult } from "../scaling/soak.ts";
import { toSoakTable } from "./scaling-tables.ts";

test.each([
  [109, "met"],
  [111, "missed"],
  [89, "missed"],
])("memory that goes from 100 to %d MB: %s", (mb, verdict) => {
  const memory: SoakResult["memory"] = [
    { second: 130, mb: { worker: 100 } },
    { second: 590, mb: { worker: mb } },
  ];
  const times = { limitPerSecond: 20, givenPerSecond: 16, runs: 9_600, p50Ms: 1, p99Ms: 2 };
  const table = toSoakTable({ ...times, minutes: 10, notSent: 0, memory });
  expect(toCells(table.split("\n").at(-1) ?? "").at(-1)).toBe(verdict);
});

function toCells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
