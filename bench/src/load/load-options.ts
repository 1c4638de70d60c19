import { parseArgs } from "node:util";
import { UsageError } from "@truerun/dev/usage-error";
import { DEFAULT_PLAN, type LoadPlan } from "./load-plan.ts";

const USAGE = `Usage: npm run bench:load -- [--runs N] [--other-runs N] [--days D] [--steps-share S] [--seed N]
  --runs         runs of the org that is made; ${DEFAULT_PLAN.runs} if left out
  --other-runs   runs of ${DEFAULT_PLAN.otherOrgs} other orgs together; ${DEFAULT_PLAN.otherRuns} if left out
  --days         over how many days, up to now, the runs began; ${DEFAULT_PLAN.days} if left out
  --steps-share  which share of the runs has ${DEFAULT_PLAN.stepsPerRun} steps; ${DEFAULT_PLAN.withSteps} if left out
  --seed         the same seed makes the same runs; ${DEFAULT_PLAN.seed} if left out
They go into the database of DATABASE_URL, or else that of the running npm start.`;

/** @throws UsageError */
export function parseLoadOptions(args: readonly string[]): LoadPlan {
  const values = parse(args);
  const share = toNumber("--steps-share", values["steps-share"], DEFAULT_PLAN.withSteps);
  if (share > 1) throw usageError("--steps-share is more than 1");
  return {
    ...DEFAULT_PLAN,
    runs: toWhole("--runs", values.runs, DEFAULT_PLAN.runs),
    otherRuns: toWhole("--other-runs", values["other-runs"], DEFAULT_PLAN.otherRuns),
    days: toNumber("--days", values.days, DEFAULT_PLAN.days),
    withSteps: share,
    seed: toWhole("--seed", values.seed, DEFAULT_PLAN.seed),
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { runs: text, "other-runs": text, days: text, "steps-share": text, seed: text };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

function toNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+(\.\d+)?$/.test(text)) throw usageError(`${name} is ${JSON.stringify(text)}`);
  return Number(text);
}

function toWhole(name: string, text: string | undefined, fallback: number): number {
  const value = toNumber(name, text, fallback);
  if (!Number.isSafeInteger(value)) throw usageError(`${name} is no whole number: ${text}`);
  return value;
}

function usageError(fault: string): UsageError {
  return new UsageError(`${fault}\n${USAGE}`);
}
