import { parseCommandLine, type UsageError } from "@truerun/shared/command-line";
import { SYSTEMS, type SystemName } from "./systems/system.ts";

/** What can be measured, in the order of measuring. */
export const PARTS = [
  ...(["accept", "ends", "reads", "busy"] as const),
  ...(["growth", "fairness", "overload", "soak"] as const),
] as const;
export type PartName = (typeof PARTS)[number];

/** The parts that compare the systems; measured by default. */
const DEFAULT_PARTS: readonly PartName[] = ["accept", "ends", "reads", "busy"];
/** All but DBOS, which needs an install of its own. */
const QUICK_SYSTEMS = SYSTEMS.filter((system) => system !== "dbos");
const ROUNDS = 5;

export interface BenchOptions {
  only: readonly PartName[];
  systems: readonly SystemName[];
  rounds: number;
  /** A minute or two, only to see that everything works; its figures mean nothing. */
  isQuick: boolean;
  /** Name of the results file. */
  name: string | undefined;
  /** Whether the documentation is to show these figures from now on. */
  isForDocs: boolean;
  /** How long the soak takes. */
  minutes: number;
  /** How many runs one org queues when fairness is measured. */
  runs: number;
  /** How long the overload takes. */
  seconds: number;
}

const USAGE = `Usage: npm run bench -- [--only PART,...] [--systems SYSTEM,...] [--rounds N] [--quick] [--name NAME] [--docs]
       [--minutes M] [--runs R] [--seconds S]
  --only     what to measure: ${PARTS.join(", ")}; ${DEFAULT_PARTS.join(", ")} if left out
  --systems  whom to compare: ${SYSTEMS.join(", ")}; all if left out, all but dbos with --quick
  --rounds   how often each is measured, one after the other; ${ROUNDS} if left out, 1 with --quick
  --quick    a minute or two, to see that everything works; its figures say nothing
  --name     the results are written to bench/results/<name>.json; the time of day if left out
  --docs     what the documentation shows is made of these results; not while files differ from the commit
  --minutes  how long the soak takes; 10 if left out
  --runs     how many runs of one org are queued for fairness; 10000 if left out
  --seconds  how long the overload takes; 60 if left out`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const COMMAND = {
  usage: USAGE,
  options: {
    only: text,
    systems: text,
    rounds: text,
    name: text,
    minutes: text,
    runs: text,
    seconds: text,
    quick: flag,
    docs: flag,
  },
} as const;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, wrong } = parseCommandLine(args, COMMAND);
  const isQuick = values.quick ?? false;
  if (values.name !== undefined && !/^[\w-]+$/.test(values.name)) {
    throw wrong(`--name is ${JSON.stringify(values.name)}, not letters, digits, _ and -`);
  }
  const toCount = (name: string, given: string): number => {
    if (!/^[1-9]\d{0,5}$/.test(given)) throw wrong(`${name} is ${JSON.stringify(given)}`);
    return Number(given);
  };
  return {
    only: toList("--only", { given: values.only, known: PARTS, all: DEFAULT_PARTS, wrong }),
    systems: toList("--systems", {
      given: values.systems,
      known: SYSTEMS,
      wrong,
      all: isQuick ? QUICK_SYSTEMS : SYSTEMS,
    }),
    rounds: toCount("--rounds", values.rounds ?? (isQuick ? "1" : String(ROUNDS))),
    isQuick,
    name: values.name,
    isForDocs: values.docs ?? false,
    minutes: toCount("--minutes", values.minutes ?? "10"),
    runs: toCount("--runs", values.runs ?? "10000"),
    seconds: toCount("--seconds", values.seconds ?? "60"),
  };
}

interface ListSpec<T extends string> {
  given: string | undefined;
  known: readonly T[];
  all: readonly T[];
  wrong: (fault: string) => UsageError;
}

/** In the order in which they are known. */
function toList<T extends string>(
  name: string,
  { given, known, all, wrong }: ListSpec<T>,
): readonly T[] {
  if (given === undefined) return all;
  const named = given.split(",").map((each) => each.trim());
  const unknown = named.filter((each) => !known.some((one) => one === each));
  if (unknown.length > 0) throw wrong(`${name} has no ${unknown.join(", ")}`);
  return known.filter((each) => named.includes(each));
}
