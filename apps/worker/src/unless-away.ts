// Tells a Temporal or a database that is away from a run that fails for its own reasons.
import { randomUUID } from "node:crypto";
import type { Client } from "@temporalio/client";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import { GRPC, hasGrpcCode } from "@truerun/shared/grpc-error";
import { isStopped } from "./bound-calls.ts";

/** Temporal or the database is away: what has failed, its `cause`, says nothing about the run. */
export class AwayError extends Error {
  override name = "AwayError";
}

/** How long Temporal may take to show that it is there. */
const PING_MS = 3_000;
/** Codes that say nothing about what was asked for. */
const NO_ANSWER = [
  GRPC.CANCELLED,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.PERMISSION_DENIED,
  GRPC.RESOURCE_EXHAUSTED,
  GRPC.UNAVAILABLE,
  GRPC.UNAUTHENTICATED,
];

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
      const isUnanswered = hasGrpcCode(error, NO_ANSWER);
      const isAway = isUnanswered
        ? isStopped(client) || !(await answersForRuns(client))
        : isDatabaseUnavailable(error);
      if (isAway) throw new AwayError("Temporal or the database is away", { cause: error });
      const isLate = hasGrpcCode(error, [GRPC.DEADLINE_EXCEEDED]);
      if (!isUnanswered || isLate || !isFirst) throw error;
    }
  }
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
    return hasGrpcCode(error, [GRPC.NOT_FOUND]);
  }
}
