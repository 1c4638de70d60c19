import type { RunStatus } from "@truerun/shared/contracts/statuses";
import { expect, test } from "vitest";
import { addLook, findImpossible, type Sighting, withoutFaults } from "./sightings.ts";

const calm = { resets: [], faults: [] };

function seen(...looks: [status: RunStatus, completedAt: number | null, at: number][]): Sighting[] {
  const sightings: Sighting[] = [];
  for (const [status, completedAt, at] of looks) {
    addLook(sightings, { status, completedAt, sentAt: at - 5, doneAt: at });
  }
  return sightings;
}

test("a run that starts and ends is possible", () => {
  const run = seen(["started", null, 10], ["started", null, 90], ["completed", 1, 200]);
  expect(run).toHaveLength(2);
  expect(findImpossible(run, calm)).toEqual([]);
});

test("an end that is taken back needs a reset before it", () => {
  const run = seen(["completed", 1, 100], ["started", null, 200]);
  expect(findImpossible(run, calm)).toEqual(["completed for 0 ms, then started"]);
  expect(findImpossible(run, { ...calm, resets: [150] })).toEqual([]);
  expect(findImpossible(run, { ...calm, resets: [300] })).toHaveLength(1);
});

test("an end may become another one only within two seconds that no fault made longer", () => {
  const run = seen(["completed", 1, 1_000], ["completed", 1, 4_000], ["canceled", 4, 5_000]);
  expect(findImpossible(run, calm)).toEqual(["completed for 2995 ms, then canceled"]);
  expect(findImpossible(run, { ...calm, faults: [{ from: 2_000, to: 3_500 }] })).toEqual([]);
  const quick = seen(["completed", 1, 1_000], ["failed", 1, 1_100]);
  expect(findImpossible(quick, calm)).toEqual([]);
});

test("completed_at without an end, or an end without it, is never possible", () => {
  expect(findImpossible(seen(["started", 1, 10]), calm)).toHaveLength(1);
  expect(findImpossible(seen(["failed", null, 10]), calm)).toHaveLength(1);
});

test("time without faults leaves overlapping faults out once", () => {
  const faults = [
    { from: 50, to: 60 },
    { from: 10, to: 30 },
    { from: 20, to: 40 },
  ];
  expect(withoutFaults({ from: 0, to: 100 }, faults)).toBe(60);
  expect(withoutFaults({ from: 15, to: 25 }, faults)).toBe(0);
});
