// Tells a Temporal or a database that is away from a run that fails for its own reasons.
import { randomUUID } from "node:crypto";
import type { Client } from "@temporalio/client";
import { type Database, isDatabaseUnavailable } from "@truerun/shared/db";
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

/** What work on runs asks. */
export interface Asked {
  client: Client;
  db: Pick<Database, "$queryRaw">;
}

/**
 * Does some work on a run. If Temporal or the database does not answer, it is asked about something else: it may be
 * away, or may not answer for this run, whose history or rows are huge, whose shard has no host, whose row is locked.
 * If it was away for a moment only, the work is done once more.
 *
 * @param work - each of its calls and statements has a deadline
 * @throws AwayError, also when the calls have been stopped; or the run's own error
 */
export async function unlessAway<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
  const { client, db } = asked;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      const isUnanswered = hasGrpcCode(error, NO_ANSWER);
      if (!isUnanswered && !isDatabaseUnavailable(error)) throw error;
      const isAway = isUnanswered
        ? isStopped(client) || !(await answersForRuns(client))
        : !(await answersAtAll(db));
      if (isAway) throw new AwayError("Temporal or the database is away", { cause: error });
      const isLate = hasGrpcCode(error, [GRPC.DEADLINE_EXCEEDED]);
      if (isLate || !isFirst) throw error;
    }
  }
}

async function answersAtAll(db: Asked["db"]): Promise<boolean> {
  try {
    await db.$queryRaw`SELECT 1`;
    return true;
  } catch {
    return false;
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
