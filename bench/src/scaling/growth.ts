import { toBar } from "@truerun/dev/report/display";
import { cpuPer, type PerPart, readCpu } from "../measure/process-use.ts";
import { percentile } from "../measure/statistics.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import type { Service } from "../systems/service.ts";
import { ONE_OF_EACH, type ScalingContext, withService } from "./context.ts";
import { chain, chainInput, fanOut } from "./definitions.ts";

/** What is made larger, one at a time. */
export const SERIES = ["gateways", "workers", "steps", "input bytes", "items"] as const;
export type Series = (typeof SERIES)[number];

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

/** Throughput and cost of a run against everything that can grow. */
export async function measureGrowth(context: ScalingContext): Promise<GrowthPoint[]> {
  const { display, options } = context;
  const points: GrowthPoint[] = [];
  const processes = options.isQuick ? [1] : [1, 2, 4];
  for (const series of ["gateways", "workers"] as const) {
    for (const at of processes) {
      display.status(`growth: ${at} ${series}`);
      const batch = { ...threeSteps(options.isQuick ? 20 : 600), inFlight: 64 };
      const measured = await withService(context, { ...ONE_OF_EACH, [series]: at }, (service) =>
        measureBatch(service, batch),
      );
      points.push({ series, at, ...measured });
    }
  }
  const plan = planPoints(options.isQuick);
  await withService(context, ONE_OF_EACH, async (service) => {
    for (const [index, { series, at, batch, definition }] of plan.entries()) {
      display.status(`${toBar(index / plan.length)}  growth: ${at} ${series}`);
      if (definition !== undefined) await service.define(batch.name, definition);
      points.push({ series, at, ...(await measureBatch(service, batch)) });
    }
  });
  return points;
}

function threeSteps(runs: number): Omit<Batch, "inFlight"> {
  return { name: "service", input: RUN_INPUT, runs };
}

/** Steps of a point's runs together, so that all points take about as long. */
const STEPS = { quick: 20, full: 1_600 } as const;
const LARGEST_QUICK = 10;

function planPoints(isQuick: boolean): Point[] {
  const isWanted = (at: number): boolean => !isQuick || at <= LARGEST_QUICK;
  const all = isQuick ? STEPS.quick : STEPS.full;
  const runsOf = (steps: number): number => Math.max(2, Math.round(all / (steps + 2)));
  const sizes = [1, 10, 100, 1_000].filter(isWanted);
  return [
    ...sizes.map((at): Point => {
      const batch = { name: `steps-${at}`, input: chainInput(at), runs: runsOf(at), inFlight: 8 };
      return { series: "steps", at, batch, definition: chain(at) };
    }),
    ...sizes.map((kilobytes): Point => {
      // A request is limited to 1 MiB, including what surrounds the text.
      const at = kilobytes * 1_000;
      const input = { ...RUN_INPUT, text: "x".repeat(at) };
      const batch = { name: "service", input, runs: runsOf(kilobytes > 100 ? 20 : 4), inFlight: 8 };
      return { series: "input bytes", at, batch };
    }),
    ...sizes.map((at): Point => {
      const input = { items: Array.from({ length: at }, (_, item) => item) };
      const batch = { name: `items-${at}`, input, runs: runsOf(at), inFlight: 8 };
      return { series: "items", at, batch, definition: fanOut() };
    }),
  ];
}

type Measured = Omit<GrowthPoint, "series" | "at">;

async function measureBatch(service: Service, batch: Batch): Promise<Measured> {
  const warmUp = { ...batch, runs: Math.min(batch.inFlight, batch.runs) };
  await runBatch(service, warmUp);
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
