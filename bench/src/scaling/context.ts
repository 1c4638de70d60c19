import type { Display } from "@truerun/dev/report/display";
import type { BenchOptions } from "../options.ts";
import { runClosedLoop } from "../measure/closed-loop.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import { type Service, type ServiceOptions, startService } from "../systems/service.ts";
import type { Bench } from "../systems/start-parts.ts";

/** What measurements of this service alone are given. */
export interface ScalingContext {
  bench: Bench;
  options: BenchOptions;
  display: Display;
}

let started = 0;

/** Starts the service on new servers, and stops it afterwards. */
export async function withService<T>(
  { bench }: ScalingContext,
  options: ServiceOptions,
  use: (service: Service) => Promise<T>,
): Promise<T> {
  const dataDir = `${bench.dataDir}/scaling-${(started += 1)}`;
  const service = await startService({ ...bench, dataDir }, options);
  try {
    return await use(service);
  } finally {
    await service.stop();
  }
}

export const ONE_OF_EACH: ServiceOptions = { gateways: 1, workers: 1 };

/**
 * For each process of the kind of which there are most, since they share the runs: after a hundred runs, a fifth of a
 * process's CPU still goes into Node's compiling of hot code.
 */
const WARM_UP_MS = { quick: 1_000, full: 15_000 } as const;
const WARM_UP_IN_FLIGHT = 16;

/** Must come before the first measurement with new processes. @param processes - most of one kind */
export async function warmUp(
  service: Service,
  { options }: ScalingContext,
  processes = 1,
): Promise<void> {
  await runClosedLoop({
    inFlight: WARM_UP_IN_FLIGHT,
    warmUpMs: WARM_UP_MS[options.isQuick ? "quick" : "full"] * processes,
    windowMs: 1,
    once: () => runThreeSteps(service),
  });
}

/** More in flight than it takes to keep everything busy. */
const LIMIT_IN_FLIGHT = 64;

/** How many runs of three regular steps the service completes a second, once it is warm. */
export async function measureLimit(service: Service, { options }: ScalingContext): Promise<number> {
  const { perSecond } = await runClosedLoop({
    inFlight: LIMIT_IN_FLIGHT,
    warmUpMs: WARM_UP_MS[options.isQuick ? "quick" : "full"],
    windowMs: options.isQuick ? 2_000 : 15_000,
    leastCount: LIMIT_IN_FLIGHT,
    once: () => runThreeSteps(service),
  });
  return perSecond;
}

async function runThreeSteps(service: Service): Promise<void> {
  await service.ends.untilEnded(await service.start("service", RUN_INPUT));
}
