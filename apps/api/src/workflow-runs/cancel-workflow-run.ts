import { WorkflowNotFoundError } from "@temporalio/client";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import { isClosed } from "@truerun/shared/describe-execution";
import { endUndispatched, type UndispatchedEnd } from "@truerun/shared/dispatch/dispatch-marks";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { serviceUnavailable, workflowRunFinished } from "../http/errors.ts";
import { readRun, readRunHead, toRunText, workflowRunIdParam } from "./read-run.ts";
import { workflowRunSchema } from "./run-view.ts";

/** How long Temporal may take to answer, all tries together. */
const TEMPORAL_WITHIN_MS = 3_000;

/** Asks Temporal to cancel a run; one that Temporal does not have yet ends here and never starts. */
export const cancelWorkflowRun = defineEndpoint({
  operationId: "cancelWorkflowRun",
  summary: "Cancel a workflow run",
  description:
    "Reaches the components that are running; the run is `canceled` once they have answered, or their grace time is over. May be repeated. A run that was not dispatched yet is `canceled` at once and never starts.",
  tag: "Workflow runs",
  access: "any_key",
  params: z.object({ workflow_run_id: workflowRunIdParam }),
  responses: {
    202: { description: "The run, which is being canceled", schema: workflowRunSchema },
  },
  errors: ["workflow_run_not_found", "workflow_run_finished"],
  async handler(request, services) {
    const until = performance.now() + TEMPORAL_WITHIN_MS;
    let cause = new Error("the run changed between two looks at it");
    do {
      const run = await readRunHead(request, services);
      if (isTerminal(run.status)) throw workflowRunFinished();
      request.endTurn();
      const answer = await askTemporal(services, run.id, until - performance.now());
      if (answer.kind === "requested") {
        return { status: 202, text: toRunText(await readRun(request, services)) };
      }
      if (answer.kind === "closed") throw workflowRunFinished();
      if (answer.kind === "unavailable") cause = answer.cause;
      if (run.dispatched) {
        // A run that Temporal took but no longer has is not running.
        if (answer.kind === "unknown") throw workflowRunFinished();
        break;
      }
      if (await endUndispatched(services.db, toEnd(run.id))) {
        return { status: 202, text: toRunText(await readRun(request, services)) };
      }
      // It was dispatched, or has ended, just now.
    } while (performance.now() < until);
    throw serviceUnavailable(cause);
  },
});

/** What Temporal says about a run that is to be canceled. */
type CancelAnswer =
  | { kind: "requested" | "closed" | "unknown" }
  | { kind: "unavailable"; cause: Error };

async function askTemporal(
  { client }: Pick<EndpointServices, "client">,
  workflowRunId: string,
  withinMs: number,
): Promise<CancelAnswer> {
  const handle = client.workflow.getHandle(workflowRunId);
  try {
    return await withTemporalDeadline(client.connection, withinMs, async () => {
      await handle.cancel();
      // Temporal accepts the request even for a closed run.
      const execution = await handle.describe();
      const isCanceled = execution.status.name === "CANCELLED";
      return { kind: isClosed(execution) && !isCanceled ? "closed" : "requested" };
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: "unknown" };
    return {
      kind: "unavailable",
      cause: error instanceof Error ? error : new Error(String(error)),
    };
  }
}

function toEnd(id: string): UndispatchedEnd {
  const message = "The run was canceled before it was dispatched.";
  return { id, status: "canceled", code: "workflow_canceled", message };
}
