import { toBar } from "@truerun/dev/report/display";
import { cpuPer, type PerPart, readCpu } from "../measure/process-use.ts";
import { percentile } from "../measure/statistics.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import type { Service, ServiceOptions } from "../systems/service.ts";
import { ONE_OF_EACH, type ScalingContext, warmUp, withService } from "./context.ts";
import { chain, chainInput, fanOut } from "./definitions.ts";

/** What is made larger, one at a time. */
export type Series = "gateways" | "workers" | "steps" | "input bytes" | "items";

export interface GrowthPoint {
  series: Series;
  /** How large it was. */
  at: number;
  runs: number;
  runsPerSecond: number;
  p50Ms: number;
  /** Of one run. */
  cpuMs: PerPart | null;
}

/** Runs of one definition, measured until the last one has ended. */
interface Batch {
  name: string;
  input: object;
  runs: number;
  inFlight: number;
}

interface Point {
  series: Series;
  at: number;
  batch: Batch;
  /** Saved before it is measured. */
  definition?: object;
}

/** How much is measured. */
const EFFORT = {
  full: { processes: [2, 4], runs: 450, largest: 1_000, steps: 1_600, leastRuns: 12 },
  quick: { processes: [], runs: 20, largest: 10, steps: 20, leastRuns: 4 },
} as const;
type Effort = (typeof EFFORT)[keyof typeof EFFORT];

/** More than several processes of a kind together can work on. */
const PROCESSES_IN_FLIGHT = 64;
/** Enough to keep one gateway and one worker busy; the same for all sizes, so that their runs a second compare. */
const SIZES_IN_FLIGHT = 4;

/** Throughput and cost of a run against everything that can grow. */
export async function measureGrowth(context: ScalingContext): Promise<GrowthPoint[]> {
  const effort = EFFORT[context.options.isQuick ? "quick" : "full"];
  return [...(await measureProcesses(context, effort)), ...(await measureSizes(context, effort))];
}

async function measureProcesses(context: ScalingContext, effort: Effort): Promise<GrowthPoint[]> {
  const { runs, processes } = effort;
  const batch = { name: "service", input: RUN_INPUT, runs, inFlight: PROCESSES_IN_FLIGHT };
  const measure = async (at: number, more: Partial<ServiceOptions>): Promise<Measured> => {
    context.display.status(`growth: ${JSON.stringify({ ...ONE_OF_EACH, ...more })}`);
    return await withService(context, { ...ONE_OF_EACH, ...more }, async (service) => {
      await warmUp(service, context, at);
      return await measureBatch(service, batch);
    });
  };
  // Both series begin with it.
  const oneOfEach = await measure(1, {});
  const points: GrowthPoint[] = [];
  for (const series of ["gateways", "workers"] as const) {
    points.push({ series, at: 1, ...oneOfEach });
    for (const at of processes) {
      points.push({ series, at, ...(await measure(at, { [series]: at })) });
    }
  }
  return points;
}

async function measureSizes(context: ScalingContext, effort: Effort): Promise<GrowthPoint[]> {
  const plan = planSizes(effort);
  return await withService(context, ONE_OF_EACH, async (service) => {
    await warmUp(service, context);
    const points: GrowthPoint[] = [];
    for (const [index, { series, at, batch, definition }] of plan.entries()) {
      context.display.status(`${toBar(index / plan.length)}  growth: ${at} ${series}`);
      if (definition !== undefined) await service.define(batch.name, definition);
      await runBatch(service, { ...batch, runs: 1 });
      points.push({ series, at, ...(await measureBatch(service, batch)) });
    }
    return points;
  });
}

function planSizes({ largest, steps, leastRuns }: Effort): Point[] {
  // Steps of a point's runs together, so that most points take about as long.
  const runsOf = (each: number): number => Math.max(leastRuns, Math.round(steps / (each + 2)));
  const toBatch = (name: string, input: object, each: number): Batch => {
    return { name, input, runs: runsOf(each), inFlight: SIZES_IN_FLIGHT };
  };
  const sizes = [1, 10, 100, 1_000].filter((at) => at <= largest);
  return [
    ...sizes.map((at): Point => {
      const batch = toBatch(`steps-${at}`, chainInput(at), at);
      return { series: "steps", at, batch, definition: chain(at) };
    }),
    ...sizes.map((kilobytes): Point => {
      // A request is limited to 1 MiB, including what surrounds the text.
      const at = kilobytes * 1_000;
      const input = { ...RUN_INPUT, text: "x".repeat(at) };
      const batch = toBatch("service", input, kilobytes > 100 ? 20 : 4);
      return { series: "input bytes", at, batch };
    }),
    ...sizes.map((at): Point => {
      const input = { items: Array.from({ length: at }, (_, item) => item) };
      return {
        series: "items",
        at,
        batch: toBatch(`items-${at}`, input, at),
        definition: fanOut(),
      };
    }),
  ];
}

type Measured = Omit<GrowthPoint, "series" | "at">;

async function measureBatch(service: Service, batch: Batch): Promise<Measured> {
  const before = readCpu(service);
  const since = performance.now();
  const latencies = await runBatch(service, batch);
  const seconds = (performance.now() - since) / 1_000;
  return {
    runs: batch.runs,
    runsPerSecond: batch.runs / seconds,
    p50Ms: percentile(latencies, 50),
    cpuMs: cpuPer(before, readCpu(service), batch.runs),
  };
}

/** @returns how long each took from before its start, in milliseconds */
async function runBatch(
  service: Service,
  { name, input, runs, inFlight }: Batch,
): Promise<number[]> {
  const latencies: number[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < runs) {
      started += 1;
      const since = performance.now();
      await service.ends.untilEnded(await service.start(name, input));
      latencies.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return latencies;
}
