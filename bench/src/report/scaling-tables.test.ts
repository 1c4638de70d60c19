import { expect, test } from "vitest";
import type { GrowthPoint } from "../scaling/growth.ts";
import type { LoneRuns } from "../scaling/fairness.ts";
import type { SoakResult } from "../scaling/soak.ts";
import { toGrowthTable, toLinearVerdict } from "./growth-tables.ts";
import { toFairnessTable, toOverloadTable, toSoakTable } from "./scaling-tables.ts";

function point(at: number, cpuMs: GrowthPoint["cpuMs"]): GrowthPoint {
  return { series: "steps", at, runs: 12, runsPerSecond: 100 / at, p50Ms: at, cpuMs };
}

test("what a step costs is the whole run's CPU, divided by its steps", () => {
  const points = [point(10, { worker: 60, Temporal: 140 })];
  const [head, , row] = toGrowthTable(points, "steps").split("\n").map(toCells);
  expect(head?.slice(-2)).toEqual(["CPU ms a run", "CPU ms a step"]);
  expect(row?.slice(-2)).toEqual(["200", "20.0"]);
});

test.each([
  [{ worker: 2_000 }, "1.00 × with 100; linear, which is at most 1.1 ×: met"],
  [{ worker: 3_000 }, "1.50 × with 100; linear, which is at most 1.1 ×: missed"],
  [null, "– × with 100; linear, which is at most 1.1 ×: missed"],
])("growth is linear while a step of 100 costs no more than one of 10: %j", (cpuMs, said) => {
  expect(
    toLinearVerdict([point(1, null), point(10, { worker: 200 }), point(100, cpuMs)], "steps"),
  ).toContain(said);
});

test("without larger runs nothing is said about growth", () => {
  expect(toLinearVerdict([point(10, { worker: 1 })], "steps")).toBe(
    "Linear in steps: not measured.",
  );
});

test.each([
  [null, "4.00", "met"],
  [lone(70), "5.71", "missed"],
])(
  "fairness goes by the smaller of the idle values: %j afterwards",
  (idleAfter, factor, verdict) => {
    const runs = { idle: lone(100), beside: lone(400), idleAfter };
    const table = toFairnessTable({ queued: 10_000, open: [9_900, 9_800], ...runs });
    expect(toCells(table.split("\n").at(-1) ?? "").slice(-2)).toEqual([factor, verdict]);
  },
);

test("whatever was accepted and did not complete is told apart", () => {
  const answers = { count: 90, p50Ms: 1, p99Ms: 2, p99ByTenSeconds: [2] };
  const table = toOverloadTable({
    limitPerSecond: 20,
    givenPerSecond: 200,
    seconds: 60,
    orgs: 4,
    accepted: answers,
    refused: 5,
    refusedWithoutRetryAfter: 0,
    notDispatched: 10,
    failed: 0,
    unanswered: {},
    notSent: 0,
    gets: { ...answers, failed: 0 },
    lists: { ...answers, failed: 1 },
    memoryMb: [null, null],
    statuses: { completed: 93, failed: 2, canceled: 1, started: 1 },
  });
  expect(table.split("\n").slice(-6, -1).map(toCells)).toEqual([
    ["reads that failed", "1"],
    ["completed, of all that were accepted or answered 502", "93 of 100"],
    ["ended otherwise", "2 failed, 1 canceled"],
    ["not ended in time", "1"],
    ["lost", "3"],
  ]);
});

function lone(p50Ms: number): LoneRuns {
  return { count: 60, p50Ms, maxMs: 2 * p50Ms };
}

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
  const bytesPerRun = { tables: 3_200, wal: 7_600 };
  const table = toSoakTable({ ...times, minutes: 10, notSent: 0, memory, bytesPerRun });
  const [row = "", , storage] = table.split("\n").slice(-3);
  expect(toCells(row).at(-1)).toBe(verdict);
  expect(storage).toBe("A run took 3.20 kB in tables and indexes, and 7.60 kB of WAL.");
});

function toCells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
