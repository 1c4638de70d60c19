import { median, percentile } from "../measure/statistics.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import type { Service } from "../systems/service.ts";
import { countOpen } from "./run-rows.ts";
import { toThreeSteps } from "../systems/three-steps.ts";
import { ONE_OF_EACH, type ScalingContext, withService } from "./context.ts";

export interface FairnessResult {
  /** How many runs the large org starts. */
  queued: number;
  /** How many of them were still open before and after the small org's runs. */
  open: [number, number];
  /** How many runs the small org had meanwhile. */
  runs: number;
  /** Start → end of the small org's runs, one at a time, in milliseconds. */
  idleP50Ms: number;
  besideP50Ms: number;
  besideMaxMs: number;
}

/** At most; fewer if the queue drains first. */
const RUNS = 30;
/** With less than this share of the queue left, a run would be measured beside next to nothing. */
const STILL_QUEUED = 0.2;
const STARTED_AT_ONCE = 64;

/** How long an org's lone runs take beside another org's thousands. */
export async function measureFairness(context: ScalingContext): Promise<FairnessResult> {
  const { options, display } = context;
  return await withService(context, ONE_OF_EACH, async (service) => {
    const apiKey = await service.createOrg("small");
    await service.define("service", toThreeSteps("bench_step"), apiKey);
    display.status("fairness: the small org alone");
    const always = (): Promise<boolean> => Promise.resolve(true);
    await runAlone(service, apiKey, always);
    const idle = await runAlone(service, apiKey, always);

    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < options.runs) {
        started += 1;
        await service.start("service", RUN_INPUT);
        display.status(`fairness: ${started} of ${options.runs} runs of the large org started`);
      }
    };
    await Promise.all(Array.from({ length: STARTED_AT_ONCE }, lane));
    const before = await countOpen(service);
    display.status(`fairness: the small org beside ${before} open runs`);
    let after = before;
    const beside = await runAlone(service, apiKey, async () => {
      after = await countOpen(service);
      return after > before * STILL_QUEUED;
    });
    return {
      queued: options.runs,
      open: [before, after],
      runs: beside.length,
      idleP50Ms: median(idle),
      besideP50Ms: median(beside),
      besideMaxMs: percentile(beside, 100),
    };
  });
}

/** One run after the other, at least one. @param goesOn - asked after each */
async function runAlone(
  service: Service,
  apiKey: string,
  goesOn: () => Promise<boolean>,
): Promise<number[]> {
  const latencies: number[] = [];
  do {
    const since = performance.now();
    await service.ends.untilEnded(await service.start("service", RUN_INPUT, apiKey));
    latencies.push(performance.now() - since);
  } while ((await goesOn()) && latencies.length < RUNS);
  return latencies;
}
