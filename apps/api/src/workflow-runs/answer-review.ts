import { createHash } from "node:crypto";
import { pause } from "@truerun/shared/pause";
import {
  ApplicationFailure,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import {
  ANSWER_REVIEW,
  REVIEW_FAILURES,
  type ReviewAnswer,
} from "@truerun/shared/contracts/review";
import { GRPC, hasGrpcCode } from "@truerun/shared/grpc-error";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import type { EndpointServices } from "../dependencies.ts";

/** How long Temporal and a worker may take, including being redirected to a batch. */
const ANSWERED_WITHIN_MS = 4_000;

const PAUSE_MS = 50;

/** What became of an answer. After `unavailable` it may still be taken: repeat it to find out. */
export type ReviewResult =
  | { kind: "taken" | "not_pending" }
  | { kind: "unavailable"; cause: unknown };

/**
 * Sends an answer to the workflow execution that waits for it, and waits for its verdict. The same answer
 * from the same key is one Update, however often it is sent: Temporal repeats its first verdict, even after
 * the run has closed.
 */
export async function answerReview(
  { client }: Pick<EndpointServices, "client">,
  workflowRunId: string,
  answer: ReviewAnswer,
): Promise<ReviewResult> {
  try {
    await withTemporalDeadline(client.connection, ANSWERED_WITHIN_MS, (signal) => {
      const send = (workflowId: string) =>
        sendInTurn(client.workflow.getHandle(workflowId), answer, signal);
      return send(workflowRunId).catch((error: unknown) => send(findBatch(error)));
    });
    return { kind: "taken" };
  } catch (cause) {
    // Closed, closed by another answer just now, or rejected by the workflow: all mean the same.
    const isRefused =
      cause instanceof WorkflowNotFoundError || cause instanceof WorkflowUpdateFailedError;
    return isRefused ? { kind: "not_pending" } : { kind: "unavailable", cause };
  }
}

/** Retries until Temporal accepts it, or the signal: nobody waits for the answer then. */
async function sendInTurn(
  handle: WorkflowHandle,
  answer: ReviewAnswer,
  signal: AbortSignal,
): Promise<void> {
  const updateId = toUpdateId(answer);
  for (;;) {
    try {
      await handle.executeUpdate<void, [ReviewAnswer]>(ANSWER_REVIEW, { updateId, args: [answer] });
      return;
    } catch (error) {
      // Temporal lets only ten Updates at a time wait for one workflow execution.
      if (!hasGrpcCode(error, [GRPC.RESOURCE_EXHAUSTED])) throw error;
      await pause(PAUSE_MS, signal);
      signal.throwIfAborted();
    }
  }
}

function toUpdateId({ step_key, decision, comment, decided_by }: ReviewAnswer): string {
  const text = JSON.stringify([step_key, decision, comment, decided_by]);
  return createHash("sha256").update(text).digest("hex");
}

/** The batch to which the run redirects the answer. @throws the error when it names none */
function findBatch(error: unknown): string {
  if (error instanceof WorkflowUpdateFailedError) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure && cause.type === REVIEW_FAILURES.inBatch) {
      return String(cause.details?.[0]);
    }
  }
  throw error;
}
