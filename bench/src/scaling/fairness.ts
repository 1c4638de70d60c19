import { median, percentile } from "../measure/statistics.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import type { Service } from "../systems/service.ts";
import { countOpen, waitUntilEnded } from "./run-rows.ts";
import { toThreeSteps } from "../systems/three-steps.ts";
import { ONE_OF_EACH, type ScalingContext, warmUp, withService } from "./context.ts";

/** An org's runs, one at a time, from start to end. */
export interface LoneRuns {
  count: number;
  p50Ms: number;
  maxMs: number;
}

export interface FairnessResult {
  /** How many runs the large org starts. */
  queued: number;
  /** How many of them were still open before and after the small org's runs. */
  open: [number, number];
  /** The small org's, before there is a queue, beside it, and after it; null if it did not drain in time. */
  idle: LoneRuns;
  beside: LoneRuns;
  idleAfter: LoneRuns | null;
}

/** Beside the queue there are fewer if it drains first. */
const RUNS = { quick: 10, full: 60 } as const;
/** With less than this share of the queue left, a run would be measured beside next to nothing. */
const STILL_QUEUED = 0.2;
const STARTED_AT_ONCE = 64;
const SAID_EVERY = 100;
/** 10,000 runs took eight minutes. */
const DRAINED_WITHIN_MS = 900_000;

/** How long an org's lone runs take beside another org's thousands. */
export async function measureFairness(context: ScalingContext): Promise<FairnessResult> {
  const { options, display } = context;
  const runs = RUNS[options.isQuick ? "quick" : "full"];
  return await withService(context, ONE_OF_EACH, async (service) => {
    const apiKey = await service.createOrg("small");
    await service.define("service", toThreeSteps("bench_step"), apiKey);
    await warmUp(service, context);
    display.status("fairness: the small org alone");
    const idle = await runAlone(service, { apiKey, runs });
    await fillQueue(service, context);
    const before = await countOpen(service);
    display.status(`fairness: the small org beside ${before} open runs`);
    let after = before;
    const goesOn = async (): Promise<boolean> => {
      after = await countOpen(service);
      return after > before * STILL_QUEUED;
    };
    const beside = await runAlone(service, { apiKey, runs, goesOn });
    display.status(`fairness: waiting for ${after} runs to end`);
    const isDrained = (await waitUntilEnded(service, DRAINED_WITHIN_MS)) === 0;
    const idleAfter = isDrained ? await runAlone(service, { apiKey, runs }) : null;
    return { queued: options.runs, open: [before, after], idle, beside, idleAfter };
  });
}

/** Starts all runs of the large org. */
async function fillQueue(service: Service, { options, display }: ScalingContext): Promise<void> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < options.runs) {
      started += 1;
      if (started % SAID_EVERY === 0) {
        display.status(`fairness: ${started} of ${options.runs} runs of the large org started`);
      }
      await service.start("service", RUN_INPUT);
    }
  };
  await Promise.all(Array.from({ length: STARTED_AT_ONCE }, lane));
}

interface Alone {
  apiKey: string;
  /** At most. */
  runs: number;
  /** Asked after each. */
  goesOn?: () => Promise<boolean>;
}

/** One run after the other, at least one. */
async function runAlone(
  service: Service,
  { apiKey, runs, goesOn = () => Promise.resolve(true) }: Alone,
): Promise<LoneRuns> {
  const latencies: number[] = [];
  do {
    const since = performance.now();
    await service.ends.untilEnded(await service.start("service", RUN_INPUT, apiKey));
    latencies.push(performance.now() - since);
  } while ((await goesOn()) && latencies.length < runs);
  return {
    count: latencies.length,
    p50Ms: median(latencies),
    maxMs: percentile(latencies, 100),
  };
}
