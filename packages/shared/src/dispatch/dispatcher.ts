import {
  type Client,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
} from "@temporalio/client";
import { GRPC, toGrpcError } from "../grpc-error.ts";
import type { Logger } from "../logger.ts";
import { withTemporalDeadline } from "../temporal-deadline.ts";
import type { DispatchableRun } from "./run-requested.ts";
import { toStartOptions } from "./start-options.ts";

/** What became of one try. `rejected` is final; after `unavailable` the next try may succeed. */
export type DispatchResult =
  | { kind: "dispatched"; temporalRunId: string | null }
  | { kind: "unavailable"; reason: string }
  | { kind: "rejected"; reason: string };

export interface Dispatcher {
  /** Hands a committed run to Temporal. Never rejects and never takes longer than the deadline. */
  dispatch(run: DispatchableRun): Promise<DispatchResult>;
}

export interface DispatcherOptions {
  client: Client;
  taskQueue: string;
  /** How long a try may take. */
  deadlineMs: number;
  logger: Logger;
}

/** After this many failures in a row, Temporal counts as away. */
const FAILURES_UNTIL_AWAY = 3;
/** How long a try may take while Temporal is away and another try already waits for the full deadline. */
const DEADLINE_WHILE_AWAY_MS = 500;

/** Refusals of an argument that are due to the server's state, not to the run. */
const CONFIGURATION_FAULT = /search attribute|namespace/i;

/**
 * A dispatcher for one process: what it has seen of Temporal decides how long its next tries may take. Tries may
 * overlap, and be of the same run, by any number of processes: Temporal starts a run once.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const deadline = createAdaptiveDeadline(options.deadlineMs);
  return {
    async dispatch(run) {
      const result = await deadline.run((ms) => tryStart(options, run, ms));
      if (result.kind !== "dispatched") {
        options.logger.warn(
          { workflowRunId: run.workflowRunId, reason: result.reason },
          `run not dispatched: ${result.kind}`,
        );
      }
      return result;
    },
  };
}

/**
 * Keeps a dead Temporal from holding up every request for the full deadline: while it is away, only one
 * try at a time waits that long, the others give up early. All still try, so that the first request after
 * Temporal's return succeeds.
 */
function createAdaptiveDeadline(fullMs: number) {
  let failuresInARow = 0;
  let waitingItOut = 0;
  return {
    async run(attempt: (deadlineMs: number) => Promise<DispatchResult>): Promise<DispatchResult> {
      const away = failuresInARow >= FAILURES_UNTIL_AWAY;
      const short = away && waitingItOut > 0;
      if (!short) waitingItOut++;
      try {
        const result = await attempt(short ? Math.min(DEADLINE_WHILE_AWAY_MS, fullMs) : fullMs);
        failuresInARow = result.kind === "unavailable" ? failuresInARow + 1 : 0;
        return result;
      } finally {
        if (!short) waitingItOut--;
      }
    },
  };
}

async function tryStart(
  options: DispatcherOptions,
  run: DispatchableRun,
  deadlineMs: number,
): Promise<DispatchResult> {
  try {
    const connection = options.client.connection;
    const temporalRunId = await withTemporalDeadline(connection, deadlineMs, () =>
      start(options, run),
    );
    return { kind: "dispatched", temporalRunId };
  } catch (error) {
    return toResult(error);
  }
}

async function start(
  { client, taskQueue }: DispatcherOptions,
  run: DispatchableRun,
): Promise<string> {
  const handle = await client.workflow.start(run.workflowName, {
    ...toStartOptions(run),
    taskQueue,
    // However often a run is dispatched, and by whomever, Temporal starts it once.
    workflowIdReusePolicy: "REJECT_DUPLICATE",
    workflowIdConflictPolicy: "USE_EXISTING",
  });
  return handle.firstExecutionRunId;
}

function toResult(error: unknown): DispatchResult {
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    return { kind: "dispatched", temporalRunId: null };
  }
  const cause = error instanceof ServiceError ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const refused = toGrpcError(error);
  // The same start will never be accepted.
  const permanent =
    refused?.code === GRPC.INVALID_ARGUMENT && !CONFIGURATION_FAULT.test(refused.details);
  return { kind: permanent ? "rejected" : "unavailable", reason };
}
