import { expect, it } from "vitest";
import { DEFAULT_PLAN } from "./load-plan.ts";
import { planRuns } from "./planned-runs.ts";

const END_MS = Date.UTC(2026, 5, 30);
const plan = { ...DEFAULT_PLAN, runs: 4_000, otherRuns: 1_000 };

it("plans exactly as many runs as wanted, oldest first, within the days", () => {
  const runs = [...planRuns(plan, END_MS)];
  expect(runs.filter(({ org }) => org === 0)).toHaveLength(4_000);
  expect(runs).toHaveLength(5_000);
  const times = runs.map(({ startedAtUs }) => startedAtUs / 1_000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThanOrEqual(END_MS - 30 * 86_400_000);
  expect(times.at(-1)).toBeLessThan(END_MS);

  const hours = times.map((ms) => new Date(ms).getUTCHours());
  const busy = hours.filter((hour) => hour >= 8 && hour < 18);
  expect(busy.length / 5_000).toBeCloseTo(0.75, 1);
});

it("plans the same runs for the same seed, and others for another", () => {
  const [first, again] = [[...planRuns(plan, END_MS)], [...planRuns(plan, END_MS)]];
  expect(again).toEqual(first);
  expect([...planRuns({ ...plan, seed: 2 }, END_MS)]).not.toEqual(first);
});

it("plans runs of every state and of every definition, some with steps", () => {
  const runs = [...planRuns(plan, END_MS)];
  const share = (status: string) => runs.filter((run) => run.status === status).length / 5_000;
  expect(
    ["completed", "failed", "started", "canceled"].map((status) => share(status) > 0.01),
  ).toEqual([true, true, true, true]);
  expect(new Set(runs.map(({ definition }) => definition)).size).toBe(plan.definitions);
  expect(runs.filter(({ steps }) => steps === 10).length / 5_000).toBeCloseTo(0.1, 1);
});
