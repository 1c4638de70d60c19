import type { RunStatus } from "@truerun/shared/contracts/statuses";

/** What is loaded. The same plan makes the same rows, but for their ids. */
export interface LoadPlan {
  /** Runs of the org that is looked at. */
  runs: number;
  /** Runs of all others together, in the same tables and the same time. */
  otherRuns: number;
  otherOrgs: number;
  /** Of each org. The first is run far more often than the last. */
  definitions: number;
  /** Runs began over so many days, up to now, three in four within the same ten hours of each. */
  days: number;
  /** Share of the runs that have steps, and how many. */
  withSteps: number;
  stepsPerRun: number;
  seed: number;
}

export const DEFAULT_PLAN: LoadPlan = {
  runs: 1_000_000,
  otherRuns: 300_000,
  otherOrgs: 50,
  definitions: 20,
  days: 30,
  withSteps: 0.1,
  stepsPerRun: 10,
  seed: 1,
};

/** How runs are, of a hundred. */
export const STATUS_SHARES: Readonly<Record<RunStatus, number>> = {
  completed: 90,
  failed: 5,
  started: 3,
  canceled: 2,
};

/** Of the definitions, the most frequent first. */
export function definitionName(index: number): string {
  return `bench-${String(index).padStart(2, "0")}`;
}
