import { parseCommandLine } from "@truerun/shared/command-line";
import { DEAD_CHANGES } from "@truerun/worker/run-counts/count-runs";
import { DEFAULT_PLAN, type LoadPlan } from "../load/load-plan.ts";

export interface ReadsOptions {
  small: LoadPlan;
  large: LoadPlan;
  /** How often each question is asked of each org. */
  samples: number;
  /** Rounds of the writers, and how many runs each writes per round. */
  writes: { rounds: number; runs: number };
  /** Whether the documentation is to show these figures from now on. */
  isForDocs: boolean;
}

const SMALL_RUNS = 10_000;
/** A run makes two changes, so a worker frees their room about once in so many runs: once a turn. */
const RUNS_OF_A_TURN = DEAD_CHANGES / 2;
const QUICK_RUNS = 40_000;
const QUICK_OTHER_RUNS = 10_000;

const COMMAND = {
  usage: `Usage: npm run bench:reads -- [--quick] [--docs]
  --quick  fewer runs and samples, to see that it works; its figures say nothing
  --docs   what the documentation shows is made of these results
They are written to bench/results/reads.json; with --docs, into reference.json.`,
  options: { quick: { type: "boolean" }, docs: { type: "boolean" } },
} as const;

/** @throws UsageError */
export function parseReadsOptions(args: readonly string[]): ReadsOptions {
  const { quick = false, docs = false } = parseCommandLine(args, COMMAND).values;
  const large = quick
    ? { ...DEFAULT_PLAN, runs: QUICK_RUNS, otherRuns: QUICK_OTHER_RUNS, otherOrgs: 5 }
    : DEFAULT_PLAN;
  return {
    small: { ...large, runs: SMALL_RUNS },
    large,
    samples: quick ? 20 : 200,
    writes: quick ? { rounds: 2, runs: 200 } : { rounds: 15, runs: RUNS_OF_A_TURN },
    isForDocs: docs,
  };
}
