import { parseCommandLine } from "@truerun/shared/command-line";

export interface ChaosOptions {
  seed: number;
  /** How long runs are started and faults happen. */
  minutes: number;
  runs: number;
  faults: number;
  /** Whether to measure, after everything else, the times that operators' acts and outages may take. */
  times: boolean;
}

const USAGE = `Usage: npm run chaos -- [--seed N] [--minutes M] [--runs R] [--faults F] [--times]
  --seed     what happens is the same for the same seed; 1 if left out
  --minutes  how long runs are started and faults happen; 2 if left out, 0 for none
  --runs     how many runs are started; 100 a minute if left out
  --faults   how many faults happen; 6 a minute if left out
  --times    measure at the end what an operator and an outage of 30 s may take`;

const FAULTS_A_MINUTE = 6;
const RUNS_A_MINUTE = 100;

const text = { type: "string" } as const;
const options = {
  seed: text,
  minutes: text,
  runs: text,
  faults: text,
  times: { type: "boolean" },
} as const;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const { values, wrong } = parseCommandLine(args, { usage: USAGE, options });
  const toNumber = (name: string, given: string): number => {
    if (!/^\d+(\.\d+)?$/.test(given)) throw wrong(`${name} is ${JSON.stringify(given)}`);
    return Number(given);
  };
  const toWhole = (name: string, given: string): number => {
    const value = toNumber(name, given);
    if (!Number.isSafeInteger(value)) throw wrong(`${name} is no whole number: ${given}`);
    return value;
  };
  const minutes = toNumber("--minutes", values.minutes ?? "2");
  return {
    seed: toWhole("--seed", values.seed ?? "1"),
    minutes,
    runs: toWhole("--runs", values.runs ?? String(Math.round(minutes * RUNS_A_MINUTE))),
    faults: toWhole("--faults", values.faults ?? String(Math.round(minutes * FAULTS_A_MINUTE))),
    times: values.times ?? false,
  };
}
