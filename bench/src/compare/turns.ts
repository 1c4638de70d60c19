import type { Measure, SampleKey } from "../measure/sample.ts";
import type { BenchOptions, PartName } from "../options.ts";
import { type SystemName, SYSTEMS } from "../systems/system.ts";

/** One measurement of each system, one system after the other. */
export type Turn = Omit<SampleKey, "system">;

/** What is measured with the same processes. */
export interface Stage {
  /** False: nothing executes what is accepted. */
  withWorker: boolean;
  turns: readonly Turn[];
}

/** How many are in flight at once. */
const LEVELS = { full: [1, 16, 64], quick: [1, 4] } as const;
/** Reads are short; this many at once show what they cost. */
const READS_IN_FLIGHT = 16;

/** Which systems each is measured on; what is accepted is the same for regular and local steps. */
const APPLIES: Readonly<Record<Measure, readonly SystemName[]>> = {
  // `untouched` runs the same code as `naive`. DBOS executes in the process that accepts.
  accept: ["raw", "naive", "service"],
  "accept-busy": ["naive", "service", "dbos"],
  ends: SYSTEMS,
  get: ["naive", "service", "dbos"],
  // The others have no idempotency keys.
  replay: ["service"],
};

export function isMeasured(measure: Measure, system: SystemName): boolean {
  return APPLIES[measure].includes(system);
}

/** Everything in order. What leaves work behind comes last, or is followed by new servers. */
export function planStages(options: Pick<BenchOptions, "only" | "rounds" | "isQuick">): Stage[] {
  const { only, isQuick } = options;
  const levels = isQuick ? LEVELS.quick : LEVELS.full;
  const rounds = Array.from({ length: options.rounds }, (_, index) => index + 1);
  const each = (part: PartName, measure: Measure, inFlights: readonly number[]) => {
    return (round: number): Turn[] =>
      only.includes(part) ? inFlights.map((inFlight) => ({ round, measure, inFlight })) : [];
  };
  const ends = each("ends", "ends", levels);
  const get = each("reads", "get", [READS_IN_FLIGHT]);
  const replay = each("reads", "replay", [READS_IN_FLIGHT]);
  const stages: Stage[] = [
    { withWorker: false, turns: rounds.flatMap(each("accept", "accept", levels)) },
    {
      withWorker: true,
      turns: [
        ...rounds.flatMap((round) => [...ends(round), ...get(round), ...replay(round)]),
        ...rounds.flatMap(each("busy", "accept-busy", levels)),
      ],
    },
  ];
  return stages.filter(({ turns }) => turns.length > 0);
}
