import { toBar } from "@truerun/dev/report/display";
import { runOpenLoop } from "../measure/open-loop.ts";
import { type PerPart, readMemory } from "../measure/process-use.ts";
import { percentile } from "../measure/statistics.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import type { Service } from "../systems/service.ts";
import { measureLimit, ONE_OF_EACH, type ScalingContext, withService } from "./context.ts";
import { readStorage, type Storage } from "./run-rows.ts";

export interface SoakResult {
  /** What the service does at most, and what it was given. */
  limitPerSecond: number;
  givenPerSecond: number;
  minutes: number;
  runs: number;
  /** Runs that were left out because too many were in flight already. */
  notSent: number;
  p50Ms: number;
  p99Ms: number;
  /** Each process' memory in MB, over time. */
  memory: { second: number; mb: PerPart }[];
  /** What one run added to tables with indexes, and to the WAL. */
  bytesPerRun: Storage;
}

const SHARE = 0.8;
const LOOK_EVERY_MS = 5_000;
/** Far more than this load keeps in flight. If the machine slows down meanwhile, more would only pile up. */
const MAX_IN_FLIGHT = 100;

/** Minutes of load a little below what is possible: memory must not grow. */
export async function measureSoak(context: ScalingContext): Promise<SoakResult> {
  return await withService(context, ONE_OF_EACH, async (service) => {
    context.display.status("soak: measuring the limit");
    const limitPerSecond = await measureLimit(service, context);
    const before = await readStorage(service);
    const result = await soak(context, service, limitPerSecond);
    const after = await readStorage(service);
    const bytesPerRun = {
      tables: (after.tables - before.tables) / result.runs,
      wal: (after.wal - before.wal) / result.runs,
    };
    return { ...result, bytesPerRun };
  });
}

async function soak(
  { options, display }: ScalingContext,
  service: Service,
  limitPerSecond: number,
): Promise<Omit<SoakResult, "bytesPerRun">> {
  const durationMs = options.minutes * 60_000;
  const memory: SoakResult["memory"] = [];
  const latencies: number[] = [];
  const failures: unknown[] = [];
  const since = performance.now();
  const look = (): void => {
    const second = Math.round((performance.now() - since) / 1_000);
    const mb = readMemory(service);
    if (mb !== null) memory.push({ second, mb });
    const open = service.ends.count();
    const bar = toBar((performance.now() - since) / durationMs);
    display.status(`${bar}  soak: ${latencies.length} runs ended, ${open} under way`);
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  const givenPerSecond = limitPerSecond * SHARE;
  const notSent = await runOpenLoop({
    perSecond: givenPerSecond,
    durationMs,
    maxInFlight: MAX_IN_FLIGHT,
    async once() {
      const startedAt = performance.now();
      try {
        await service.ends.untilEnded(await service.start("service", RUN_INPUT));
        latencies.push(performance.now() - startedAt);
      } catch (error) {
        failures.push(error);
      }
    },
  }).finally(() => clearInterval(looking));
  if (failures.length > 0) throw failures[0];
  return {
    limitPerSecond,
    givenPerSecond,
    minutes: options.minutes,
    runs: latencies.length,
    notSent,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    memory,
  };
}
