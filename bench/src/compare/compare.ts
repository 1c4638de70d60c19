import { join } from "node:path";
import { type Display, toBar } from "@truerun/dev/report/display";
import {
  type Durations,
  measureAccept,
  measureEnds,
  measureGet,
  measureReplay,
  type Subject,
} from "../measure/measure-system.ts";
import type { Measure, Sample, SampleKey } from "../measure/sample.ts";
import type { BenchOptions } from "../options.ts";
import { hold, release } from "../systems/hold.ts";
import type { Bench } from "../systems/start-parts.ts";
import { TITLES } from "../systems/system.ts";
import {
  findAvailable,
  type Placed,
  startDeployments,
  stopDeployments,
} from "./start-deployments.ts";
import { isMeasured, planStages, type Stage, type Turn } from "./turns.ts";

export interface Comparison {
  bench: Bench;
  options: BenchOptions;
  display: Display;
}

/** Short, and in many rounds: a shared machine gets slower and faster by the minute. */
const FULL: Durations = {
  warmUpMs: 1_000,
  acceptMs: 2_000,
  // With 64 in flight the first ones, which all start at once, take 2 to 4 s.
  endsWarmUpMs: 3_000,
  endsMs: 4_000,
  readsMs: 2_000,
};
const QUICK: Durations = {
  warmUpMs: 300,
  acceptMs: 500,
  endsWarmUpMs: 300,
  endsMs: 1_000,
  readsMs: 1_000,
};
/**
 * Before the first measurement: after a hundred runs, a fifth of a process's CPU still goes into Node's compiling
 * of hot code.
 */
const FIRST_WARM_UP_MS = 15_000;
const QUICK_FIRST_WARM_UP_MS = 1_000;
/** Starts that already wait for the workers when accepting is measured beside them. */
const BACKLOG = 64;

/**
 * Measures the systems against each other. One works at a time while the others are held; every round visits
 * all of them, so that whatever else the machine does affects them alike.
 */
export async function compare(comparison: Comparison): Promise<Sample[]> {
  const { options, bench, display } = comparison;
  const systems = await findAvailable(options.systems, (text) => display.line(text));
  const stages = planStages(options);
  const samples: Sample[] = [];
  for (const [index, stage] of stages.entries()) {
    display.status(`Starting servers of ${systems.length} systems (${index + 1}/${stages.length})`);
    const own = { ...bench, dataDir: join(bench.dataDir, `stage-${index + 1}`) };
    const asked = systems.filter((name) =>
      stage.turns.some(({ measure }) => isMeasured(measure, name)),
    );
    const wanted = { systems: asked, withWorker: stage.withWorker };
    const placed = await startDeployments(own, wanted);
    try {
      samples.push(...(await play(comparison, stage, placed)));
    } finally {
      await stopDeployments(placed);
    }
  }
  return samples;
}

async function play(
  { options, display }: Comparison,
  stage: Stage,
  placed: readonly Placed[],
): Promise<Sample[]> {
  const durations = options.isQuick ? QUICK : FULL;
  const samples: Sample[] = [];
  for (const each of placed) {
    display.status(`Warming up ${TITLES[each.system.name]}`);
    await warmUp(each, stage, options.isQuick ? QUICK_FIRST_WARM_UP_MS : FIRST_WARM_UP_MS);
  }
  const measurements = stage.turns.flatMap((turn) => {
    const measured = placed.filter(({ system }) => isMeasured(turn.measure, system.name));
    return rotate(measured, turn.round).map((each) => ({ turn, each }));
  });
  for (const [index, { turn, each }] of measurements.entries()) {
    const { measure, round, inFlight } = turn;
    const what = `${measure}, ${inFlight} in flight, round ${round}`;
    const bar = toBar(index / measurements.length);
    display.status(`${bar}  ${what}: ${TITLES[each.system.name]}`);
    samples.push(await measureOne({ ...each, durations }, turn));
  }
  return samples;
}

/** So that no measurement starts with the same system in every round. */
function rotate<T>(list: readonly T[], by: number): T[] {
  const from = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}

async function warmUp(placed: Placed, { withWorker }: Stage, forMs: number): Promise<void> {
  const durations = { warmUpMs: forMs, acceptMs: 1, endsWarmUpMs: forMs, endsMs: 1, readsMs: 1 };
  const turn: Turn = { measure: withWorker ? "ends" : "accept", inFlight: 16, round: 0 };
  await measureOne({ ...placed, durations }, turn);
}

const MEASUREMENTS: Readonly<
  Record<Measure, (subject: Subject, key: SampleKey) => Promise<Sample>>
> = {
  accept: measureAccept,
  "accept-busy": measureBusyAccept,
  ends: measureEnds,
  get: measureGet,
  replay: measureReplay,
};

async function measureBusyAccept(subject: Subject, key: SampleKey): Promise<Sample> {
  await Promise.all(Array.from({ length: BACKLOG }, () => subject.system.accept()));
  return await measureAccept(subject, key);
}

async function measureOne(subject: Subject, turn: Turn): Promise<Sample> {
  const { deployment, system } = subject;
  await release(deployment);
  try {
    return await MEASUREMENTS[turn.measure](subject, { ...turn, system: system.name });
  } finally {
    await hold(deployment);
  }
}
