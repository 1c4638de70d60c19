import { expect, test } from "vitest";
import { describeFault, FAULT_KINDS, LINKS, PARTS } from "./fault.ts";
import { planFaults } from "./plan-faults.ts";

const plan = (seed: number) => planFaults({ seed, durationMs: 600_000, count: 60 });

test("a seed always gives the same faults, and another seed others", () => {
  expect(plan(1)).toEqual(plan(1));
  expect(plan(2).map(describeFault)).not.toEqual(plan(1).map(describeFault));
});

test("every kind comes up equally often, and hits every part and link", () => {
  const faults = planFaults({ seed: 3, durationMs: 600_000, count: 100 });
  for (const kind of FAULT_KINDS) {
    expect(faults.filter((fault) => fault.kind === kind)).toHaveLength(10);
  }
  const targets = (kind: string) =>
    new Set(faults.filter((fault) => fault.kind === kind).map(({ target }) => target));
  expect(targets("kill -9")).toEqual(new Set(PARTS));
  expect(targets("cut")).toEqual(new Set(LINKS));
});

test("faults come in order, within the load, and none lasts longer than 20 s", () => {
  const faults = plan(4);
  const times = faults.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.min(...times)).toBeGreaterThan(0);
  expect(Math.max(...times)).toBeLessThan(600_000);
  const holds = faults.map(({ holdMs }) => holdMs);
  expect(Math.max(...holds)).toBeLessThanOrEqual(20_000);
  expect(holds.filter((ms) => ms > 0 && ms < 1_000)).toEqual([]);
});
