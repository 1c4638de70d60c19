import { type Client, isGrpcServiceError } from "@temporalio/client";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";

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
      const [oldest] = failedAt.keys();
      if (failedAt.size > REMEMBERED && oldest !== undefined) failedAt.delete(oldest);
    },
    remove(id) {
      if (failedAt.delete(id)) logger.info({ workflowRunId: id }, "the run can be compared again");
    },
  };
}

/** Runs at a time. */
export const CONCURRENCY = 4;
/** How long Temporal may take for a page of a list, or for a run, its history included. */
const ANSWER_MS = 20_000;

/** Lets Temporal's answers take this long at most; the end of a pass still cuts them short. */
export async function withinDeadline<T>(
  { connection }: Client,
  calls: () => Promise<T>,
): Promise<T> {
  return await connection.withDeadline(Date.now() + ANSWER_MS, calls);
}

/**
 * Does something with each run, some at a time. A run that fails for its own reasons does not hold up the
 * others.
 *
 * @returns ids of the runs that failed
 * @throws when Temporal or the database cannot be reached
 */
export async function forEachRun<T extends { id: string }>(
  { client, failures }: { client: Client; failures: Failures },
  runs: readonly T[],
  work: (run: T) => Promise<unknown>,
): Promise<string[]> {
  const failed: string[] = [];
  const due = runs.filter(({ id }) => !failures.isResting(id));
  const lane = async (): Promise<void> => {
    for (;;) {
      const run = due.shift();
      if (run === undefined) return;
      const { id } = run;
      try {
        await withinDeadline(client, () => work(run));
        failures.remove(id);
      } catch (error) {
        if (isOutage(error)) {
          // The others would fail as well.
          due.length = 0;
          throw error;
        }
        failures.add(id, error);
        failed.push(id);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return failed;
}

/** gRPC's CANCELLED, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED. */
const OUTAGES = new Set([1, 4, 7, 8, 14, 16]);

/** Whether an error says that Temporal or the database is away, and nothing about the run. */
export function isOutage(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return (
    (isGrpcServiceError(cause) && OUTAGES.has(Number(cause.code))) || isDatabaseUnavailable(error)
  );
}
