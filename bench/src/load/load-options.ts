import { parseCommandLine } from "@truerun/shared/command-line";
import { DEFAULT_PLAN, type LoadPlan } from "./load-plan.ts";

const USAGE = `Usage: npm run bench:load -- [--runs N] [--other-runs N] [--days D] [--steps-share S] [--seed N]
  --runs         runs of the org that is made; ${DEFAULT_PLAN.runs} if left out
  --other-runs   runs of ${DEFAULT_PLAN.otherOrgs} other orgs together; ${DEFAULT_PLAN.otherRuns} if left out
  --days         over how many days, up to now, the runs began; ${DEFAULT_PLAN.days} if left out
  --steps-share  which share of the runs has ${DEFAULT_PLAN.stepsPerRun} steps; ${DEFAULT_PLAN.withSteps} if left out
  --seed         the same seed makes the same runs; ${DEFAULT_PLAN.seed} if left out
They go into the database of DATABASE_URL, or else that of the running npm start. Temporal has none of them: open
ones stay open, and npm run audit calls them different; with --repair it ends them as failed.`;

const text = { type: "string" } as const;
const options = { runs: text, "other-runs": text, days: text, "steps-share": text, seed: text };

/** @throws UsageError */
export function parseLoadOptions(args: readonly string[]): LoadPlan {
  const { values, wrong } = parseCommandLine(args, { usage: USAGE, options });
  const toNumber = (name: keyof typeof options, fallback: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    if (!/^\d+(\.\d+)?$/.test(given)) throw wrong(`--${name} is ${JSON.stringify(given)}`);
    return Number(given);
  };
  const toWhole = (name: keyof typeof options, fallback: number): number => {
    const value = toNumber(name, fallback);
    if (!Number.isSafeInteger(value)) throw wrong(`--${name} is no whole number: ${values[name]}`);
    return value;
  };
  const share = toNumber("steps-share", DEFAULT_PLAN.withSteps);
  if (share > 1) throw wrong("--steps-share is more than 1");
  return {
    ...DEFAULT_PLAN,
    runs: toWhole("runs", DEFAULT_PLAN.runs),
    otherRuns: toWhole("other-runs", DEFAULT_PLAN.otherRuns),
    days: toNumber("days", DEFAULT_PLAN.days),
    withSteps: share,
    seed: toWhole("seed", DEFAULT_PLAN.seed),
  };
}
