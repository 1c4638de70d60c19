import { expect, test } from "vitest";
import type { Sample } from "../measure/sample.ts";
import { compareRounds, listMetrics, ratioOf, valueOf } from "./metrics.ts";
import { toCpuTable, toResultTable } from "./result-table.ts";
import { toTargetTable } from "./targets.ts";

function sample(given: Partial<Sample> & Pick<Sample, "system" | "round" | "perSecond">): Sample {
  return {
    measure: "ends",
    inFlight: 16,
    count: 100,
    p50Ms: 500,
    p99Ms: 900,
    cpuMs: { worker: 20, Temporal: 30 },
    ...given,
  };
}

/** In the second round the machine ran at half its speed. */
const SAMPLES: readonly Sample[] = [
  sample({ system: "raw", round: 1, perSecond: 40 }),
  sample({ system: "service", round: 1, perSecond: 38 }),
  sample({ system: "raw", round: 2, perSecond: 20 }),
  sample({ system: "service", round: 2, perSecond: 19 }),
  sample({ system: "raw", round: 3, perSecond: 40 }),
  sample({ system: "service", round: 3, perSecond: 10, cpuMs: { gateway: 5, worker: 35 } }),
];
const RATE = { measure: "ends", inFlight: 16, value: "perSecond" } as const;
const OWN = { metric: RATE, system: "service" } as const;
const RAW = { metric: RATE, system: "raw" } as const;

test("a value is the rounds' median, a ratio the median of the rounds' ratios", () => {
  expect(valueOf(SAMPLES, RATE, "service")).toBe(19);
  expect(ratioOf(SAMPLES, OWN, RAW)).toBeCloseTo(0.95);
});

test("figures are compared round by round", () => {
  expect(compareRounds(SAMPLES, "difference", [OWN, RAW])).toEqual([-2, -1, -30]);
  expect(compareRounds(SAMPLES, "ratio", [OWN, RAW])).toEqual([0.95, 0.95, 0.25]);
});

test("what was not measured is null", () => {
  expect(valueOf(SAMPLES, RATE, "naive")).toBeNull();
  const naive = { metric: RATE, system: "naive" } as const;
  expect(ratioOf(SAMPLES, OWN, naive)).toBeNull();
  expect(compareRounds(SAMPLES, "difference", [OWN, naive])).toEqual([]);
  expect(
    valueOf(
      [sample({ system: "raw", round: 1, perSecond: 1, cpuMs: null })],
      {
        ...RATE,
        value: "cpuMs",
      },
      "raw",
    ),
  ).toBeNull();
});

test("the table has a line for each number of each measurement, and a column for each system", () => {
  expect(listMetrics(SAMPLES)).toHaveLength(4);
  const lines = toResultTable(SAMPLES).split("\n").map(toCells);
  expect(lines[0]).toEqual([
    "what (in flight)",
    "raw Temporal",
    "truerun",
    "truerun ÷ raw Temporal",
  ]);
  expect(lines[2]).toEqual(["runs to the end: a second (16)", "40.0", "19.0", "0.95"]);
  expect(lines).toHaveLength(6);
});

test("what a run costs is shown by process", () => {
  const lines = toCpuTable(SAMPLES, 16).split("\n").map(toCells);
  expect(lines[0]).toEqual([
    "CPU ms a run, 16 in flight",
    "gateway",
    "worker",
    "Temporal",
    "Postgres",
  ]);
  expect(lines[2]).toEqual(["raw Temporal", "–", "20.0", "30.0", "–"]);
  expect(lines[3]).toEqual(["truerun", "5.00", "20.0", "30.0", "–"]);
});

test("a target is met, missed or not measured, by the median of its rounds", () => {
  const lines = toTargetTable([
    ...SAMPLES,
    sample({ system: "untouched", round: 1, perSecond: 30 }),
  ])
    .split("\n")
    .map(toCells);
  const ends = lines.filter(([what]) => what === "runs to the end a second, 16 in flight");
  expect(ends.map(([, of, , ...measured]) => [of, ...measured])).toEqual([
    ["truerun ÷ raw Temporal", "0.95", "0.25 to 0.95", "met"],
    ["truerun ÷ naive", "–", "–", "not measured"],
    ["truerun, local ÷ raw Temporal", "–", "–", "not measured"],
    ["truerun ÷ naive, untouched server", "1.27", "1.27 to 1.27", "missed"],
    ["truerun, local ÷ naive, untouched server", "–", "–", "not measured"],
  ]);
});

test("what a replay costs is compared with a read by CPU and by rate", () => {
  const read = { system: "service", measure: "get", round: 1, perSecond: 3_000 } as const;
  const lines = toTargetTable([
    sample(read),
    sample({ ...read, measure: "replay", perSecond: 2_700, cpuMs: { gateway: 45 } }),
  ])
    .split("\n")
    .map(toCells);
  expect(lines.slice(-2).map((cells) => [cells[0], cells[3], cells[5]])).toEqual([
    ["CPU of a replay ÷ of a read", "0.90", "met"],
    ["replayed a second ÷ read a second", "0.90", "missed"],
  ]);
});

function toCells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
