import { forgetOldest } from "@truerun/shared/forget-oldest";
import type { Logger } from "@truerun/shared/logger";
import { type Asked, AwayError, unlessAway } from "../unless-away.ts";

/** The runs that could not be reconciled, so that each is logged once and not tried all the time. */
export interface Failures {
  /** Whether a run failed so recently that it is left alone for now. */
  isResting(workflowRunId: string): boolean;
  add(workflowRunId: string, error: unknown): void;
  remove(workflowRunId: string): void;
}

const RETRY_MS = 15_000;
/** Beyond it the oldest are forgotten, and may be logged again. */
const REMEMBERED = 10_000;

export function createFailures(logger: Logger): Failures {
  const failedAt = new Map<string, number>();
  return {
    isResting: (id) =>
      (failedAt.get(id) ?? Number.NEGATIVE_INFINITY) > performance.now() - RETRY_MS,
    add(id, error) {
      if (!failedAt.has(id)) {
        logger.error(
          { err: error, workflowRunId: id },
          "a run cannot be compared with its history",
        );
      }
      failedAt.set(id, performance.now());
      forgetOldest(failedAt, REMEMBERED);
    },
    remove(id) {
      if (failedAt.delete(id)) logger.info({ workflowRunId: id }, "the run can be compared again");
    },
  };
}

export const RUNS_AT_A_TIME = 4;

/**
 * Does something with each run, some at a time. A run that fails for its own reasons does not hold up the
 * others.
 *
 * @returns ids of the runs that failed, now or so recently that they are left alone
 * @throws AwayError
 */
export async function forEachRun<T extends { id: string }>(
  { failures, ...asked }: Asked & { failures: Failures },
  runs: readonly T[],
  work: (run: T) => Promise<unknown>,
): Promise<string[]> {
  const failed = runs.map(({ id }) => id).filter((id) => failures.isResting(id));
  const due = runs.filter(({ id }) => !failed.includes(id));
  const lane = async (): Promise<void> => {
    for (;;) {
      const run = due.shift();
      if (run === undefined) return;
      const { id } = run;
      try {
        await unlessAway(asked, () => work(run));
        failures.remove(id);
      } catch (error) {
        if (error instanceof AwayError) {
          // The others would fail as well.
          due.length = 0;
          throw error;
        }
        failures.add(id, error);
        failed.push(id);
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: RUNS_AT_A_TIME }, lane));
  for (const ended of lanes) if (ended.status === "rejected") throw ended.reason;
  return failed;
}
