import type { RunStatus } from "@truerun/shared/contracts/statuses";

/** What is loaded. The same plan makes the same rows, except for their ids. */
export interface LoadPlan {
  /** Runs of the main org, whose reads are measured. */
  runs: number;
  /** Runs of all other orgs together, in the same tables and the same period. */
  otherRuns: number;
  otherOrgs: number;
  /** Per org. The first is run far more often than the last. */
  definitions: number;
  /** Runs started over this many days up to now, three in four within the same ten hours of each day. */
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

/** How many of a hundred runs have each status. */
export const STATUS_SHARES: Readonly<Record<RunStatus, number>> = {
  completed: 90,
  failed: 5,
  started: 3,
  canceled: 2,
};

/** Definition 0 is run most often. */
export function definitionName(index: number): string {
  return `bench-${String(index).padStart(2, "0")}`;
}
