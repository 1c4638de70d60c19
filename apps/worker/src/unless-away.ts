// Tells a Temporal or a database that is away from a run that fails for its own reasons.
import { randomUUID } from "node:crypto";
import { type Client, isGrpcServiceError } from "@temporalio/client";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import { isStopped } from "./bound-calls.ts";

/** Temporal or the database is away: what has failed, its `cause`, says nothing about the run. */
export class AwayError extends Error {
  override name = "AwayError";
}

/** How long Temporal may take to show that it is there. */
const PING_MS = 3_000;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
/** gRPC's CANCELLED, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED. */
const NO_ANSWER: ReadonlySet<number | null> = new Set([1, DEADLINE_EXCEEDED, 7, 8, 14, 16]);

/**
 * Does some work on a run. If Temporal does not answer, it is asked about another one: it may be away, or may not
 * answer for this run, whose history is huge or whose shard has no host. If it was away for a moment only, the work
 * is done once more.
 *
 * @param work - each of its calls to Temporal has a deadline
 * @throws AwayError, also when the calls have been stopped; or the run's own error
 */
export async function unlessAway<T>(client: Client, work: () => Promise<T>): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      const code = toGrpcCode(error);
      const isUnanswered = NO_ANSWER.has(code);
      const isAway = isUnanswered
        ? isStopped(client) || !(await answersForRuns(client))
        : isDatabaseUnavailable(error);
      if (isAway) throw new AwayError("Temporal or the database is away", { cause: error });
      if (!isUnanswered || code === DEADLINE_EXCEEDED || !isFirst) throw error;
    }
  }
}

/** The code of a call that failed, also where the SDK has wrapped it. Null: the error is of another kind. */
export function toGrpcCode(error: unknown): number | null {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) ? Number(cause.code) : null;
}

/** Asked like a run, with the same rights and limits, but for one that does not exist, so of any shard. */
async function answersForRuns({ connection, options }: Client): Promise<boolean> {
  const request = { namespace: options.namespace, execution: { workflowId: randomUUID() } };
  try {
    await connection.withDeadline(Date.now() + PING_MS, () =>
      connection.workflowService.describeWorkflowExecution(request),
    );
    return true;
  } catch (error) {
    return toGrpcCode(error) === NOT_FOUND;
  }
}
