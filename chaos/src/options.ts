import { parseArgs } from "node:util";
import { UsageError } from "@truerun/dev/usage-error";

export interface ChaosOptions {
  seed: number;
  /** How long runs are started and faults happen. */
  minutes: number;
  runs: number;
  faults: number;
  /** Whether the times that operators and outages may take are measured, after everything else. */
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

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const values = parse(args);
  const minutes = toNumber("--minutes", values.minutes ?? "2");
  return {
    seed: toWhole("--seed", values.seed ?? "1"),
    minutes,
    runs: toWhole("--runs", values.runs ?? String(Math.round(minutes * RUNS_A_MINUTE))),
    faults: toWhole("--faults", values.faults ?? String(Math.round(minutes * FAULTS_A_MINUTE))),
    times: values.times ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = {
    ...{ seed: text, minutes: text, runs: text, faults: text },
    times: { type: "boolean" },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

function toNumber(name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw usageError(`${name} is ${JSON.stringify(text)}`);
  return Number(text);
}

function toWhole(name: string, text: string): number {
  const value = toNumber(name, text);
  if (!Number.isSafeInteger(value)) throw usageError(`${name} is no whole number: ${text}`);
  return value;
}

function usageError(fault: string): UsageError {
  return new UsageError(`${fault}\n${USAGE}`);
}
