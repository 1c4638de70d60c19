import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { GRPC, hasGrpcCode } from "@truerun/shared/grpc-error";
import type { Findings } from "../checks/findings.ts";
import type { Api } from "../load/api.ts";
import type { OperatorFault } from "../plan/fault.ts";
import { resetRun } from "./reset-run.ts";
import type { OperatorRecord } from "./fault-record.ts";

export interface OperatorOptions {
  client: Client;
  api: Api;
  apiKey: string;
  findings: Findings;
  /** Runs that an act can be done to: all for a reset, else the open ones. Oldest first. */
  candidates: (of: "all" | "open") => readonly string[];
}

const ANSWER_WITHIN_MS = 5_000;

/** Does what an operator does, to a run that the fault picks. @returns null when there is none */
export async function act(
  options: OperatorOptions,
  fault: OperatorFault,
): Promise<OperatorRecord | null> {
  const candidates = options.candidates(fault.kind === "reset" ? "all" : "open");
  const runId = candidates[Math.floor(fault.target * candidates.length)];
  if (runId === undefined) return null;
  const requestedAt = Date.now();
  const outcome = await tryAct(options, fault, runId);
  return { runId, requestedAt, outcome };
}

async function tryAct(
  { client, api, apiKey, findings }: OperatorOptions,
  fault: OperatorFault,
  runId: string,
): Promise<OperatorRecord["outcome"]> {
  if (fault.kind === "cancel by API") {
    const path = `/v1/workflows/runs/${runId}/cancel`;
    const reply = await api.request(Date.now() % 2, { method: "POST", path, apiKey });
    if (reply.kind === "lost" || reply.status === 503) return "unknown";
    if (reply.status !== 202 && reply.status !== 409) {
      const what = `a cancellation was answered ${reply.status}: ${reply.text.slice(0, 200)}`;
      findings.add({ invariant: "I7", verdict: "broken", runId, what });
    }
    return reply.status === 202 ? "done" : "refused";
  }
  const deadline = Date.now() + ANSWER_WITHIN_MS;
  try {
    await client.connection.withDeadline(deadline, () => actInTemporal(client, fault, runId));
    return "done";
  } catch (error) {
    return isRefusal(error) ? "refused" : "unknown";
  }
}

async function actInTemporal(client: Client, fault: OperatorFault, runId: string): Promise<void> {
  const handle = client.workflow.getHandle(runId);
  switch (fault.kind) {
    case "terminate":
      await handle.terminate("An operator's whim");
      return;
    case "reset":
      await resetRun(client, runId, fault.point);
      return;
    case "cancel in Temporal":
    case "cancel by API":
      await handle.cancel();
  }
}

/** Temporal answered, and did nothing. */
const REFUSALS = [GRPC.INVALID_ARGUMENT, GRPC.NOT_FOUND, GRPC.FAILED_PRECONDITION];

function isRefusal(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError) return true;
  return hasGrpcCode(error, REFUSALS);
}
