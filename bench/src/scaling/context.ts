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

/** More in flight than it takes to keep everything busy. */
const LIMIT_IN_FLIGHT = 64;

/** How many runs of three regular steps the service completes a second. */
export async function measureLimit(service: Service, { options }: ScalingContext): Promise<number> {
  const loop = options.isQuick
    ? { warmUpMs: 1_000, windowMs: 2_000 }
    : { warmUpMs: 5_000, windowMs: 15_000 };
  const { perSecond } = await runClosedLoop({
    ...loop,
    inFlight: LIMIT_IN_FLIGHT,
    leastCount: LIMIT_IN_FLIGHT,
    once: async () => await service.ends.untilEnded(await service.start("service", RUN_INPUT)),
  });
  return perSecond;
}
