// Pure: which runs a plan loads, oldest first, as they would have been written.
import { RUN_STATUSES, type RunStatus } from "@truerun/shared/contracts/statuses";
import { type LoadPlan, STATUS_SHARES } from "./load-plan.ts";
import { createRandom } from "./random.ts";

export interface PlannedRun {
  /** 0: the main org; others from 1. */
  org: number;
  definition: number;
  status: RunStatus;
  /** Unix microseconds. */
  startedAtUs: number;
  durationMs: number;
  steps: number;
}

const DAY_US = 86_400_000_000;
const HOUR_US = 3_600_000_000;

/** The runs of a plan, in the order of their start; none starts later than `endMs`. */
export function* planRuns(plan: LoadPlan, endMs: number): Generator<PlannedRun> {
  const random = createRandom(plan.seed);
  const all = plan.runs + plan.otherRuns;
  const beginUs = endMs * 1_000 - plan.days * DAY_US;
  let mainLeft = plan.runs;
  for (let index = 0; index < all; index += 1) {
    // Exactly `plan.runs` are the main org's, spread evenly.
    const isMain = random() * (all - index) < mainLeft;
    if (isMain) mainLeft -= 1;
    yield {
      org: isMain ? 0 : 1 + Math.floor(random() * plan.otherOrgs),
      definition: Math.floor(plan.definitions * random() ** 2),
      status: pickStatus(random() * 100),
      startedAtUs: beginUs + toTimeOfDay((plan.days * (index + random())) / all),
      durationMs: Math.round(100 + 60_000 * random() ** 4),
      steps: random() < plan.withSteps ? plan.stepsPerRun : 0,
    };
  }
}

function pickStatus(percent: number): RunStatus {
  let rest = percent;
  for (const status of RUN_STATUSES) {
    rest -= STATUS_SHARES[status];
    if (rest < 0) return status;
  }
  return "completed";
}

/** In microseconds: spread evenly over each day's ten busy hours, and over the other fourteen. */
function toTimeOfDay(days: number): number {
  const [day, part] = [Math.floor(days), days % 1];
  const [early, busy] = [8 / 14 / 4, 3 / 4];
  const hour =
    part < early
      ? (part / early) * 8
      : part < early + busy
        ? 8 + ((part - early) / busy) * 10
        : 18 + ((part - early - busy) / (1 - early - busy)) * 6;
  return Math.floor(day * DAY_US + hour * HOUR_US);
}
