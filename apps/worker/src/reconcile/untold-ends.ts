// Resets once more the runs that a reset left waiting for a child whose end Temporal will not report to them.
import type { Client, WorkflowExecutionDescription } from "@temporalio/client";
import type { Logger } from "@truerun/shared/logger";
import { describeExecution, isOfReset } from "@truerun/shared/describe-execution";
import { ParentClosePolicy } from "@truerun/shared/temporal-values";
import { hasWorkflowTask } from "../mirror/inspect-run.ts";
import { RoundMemory } from "./round-memory.ts";

/** Temporal tells a run of its child's end within moments. What it has not told for this long it will not tell. */
const UNTOLD_MS = 60_000;
/** The policy of children that nobody waits for. */
const ABANDON = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON;

/** Keeps track of the open runs that seem to wait in vain. */
export interface UntoldEnds {
  beginRound(): void;
  /**
   * Looks whether a run waits for a batch or a child run of whose end Temporal told only the Temporal run that was
   * reset: it would wait until its timeout. If that stays so for a minute, the run is reset once more, to before it
   * started that child; then it starts another. One that was canceled meanwhile is canceled again.
   *
   * @param execution - the run's newest, just described
   * @returns whether it was reset
   */
  see(execution: WorkflowExecutionDescription): Promise<boolean>;
}

/** A run that seems to wait in vain, for as long as its history does not grow. */
interface Waiting {
  temporalRunId: string;
  historyLength: number;
  since: number;
}

export function createUntoldEnds({
  client,
  logger,
  untoldMs = UNTOLD_MS,
}: {
  client: Client;
  logger: Logger;
  untoldMs?: number | undefined;
}): UntoldEnds {
  const waiting = new RoundMemory<Waiting>();

  /** @returns whether the run has stood like this for long enough */
  function isLong({ workflowId, runId, historyLength }: WorkflowExecutionDescription): boolean {
    const known = waiting.get(workflowId);
    const isSame = known?.temporalRunId === runId && known.historyLength === historyLength;
    if (isSame) return performance.now() - known.since >= untoldMs;
    waiting.set(workflowId, { temporalRunId: runId, historyLength, since: performance.now() });
    return false;
  }

  return {
    beginRound: () => waiting.beginRound(),
    async see(execution) {
      const { workflowId } = execution;
      if (!mayWaitInVain(execution)) {
        waiting.delete(workflowId);
        return false;
      }
      const context = { workflowRunId: workflowId, temporalRunId: execution.runId };
      try {
        const untold = await findUntold(client, execution);
        if (untold.length === 0) waiting.delete(workflowId);
        else if (isLong(execution)) {
          waiting.delete(workflowId);
          if (!(await resetToBefore(client, execution, untold))) return false;
          logger.warn(context, "the run waited in vain for a child's end: reset once more");
          return true;
        }
      } catch (error) {
        waiting.delete(workflowId);
        logger.warn({ ...context, err: error }, "a run that may wait in vain could not be reset");
      }
      return false;
    },
  };
}

function mayWaitInVain(execution: WorkflowExecutionDescription): boolean {
  return isOfReset(execution) && execution.status.name === "RUNNING" && !hasWorkflowTask(execution);
}

interface UntoldEnd {
  child: string;
  /** The event with which the child began. */
  initiated: number;
}

/** Those of the run's children that it waits for and that have ended. */
async function findUntold(
  client: Client,
  { raw }: WorkflowExecutionDescription,
): Promise<UntoldEnd[]> {
  const untold: UntoldEnd[] = [];
  for (const { workflowId, runId, parentClosePolicy, initiatedId } of raw.pendingChildren ?? []) {
    // One without a Temporal run has not started.
    if (!workflowId || !runId || parentClosePolicy === ABANDON) continue;
    const child = await describeExecution(client, workflowId);
    if (child !== null && child.closeTime === undefined) continue;
    untold.push({ child: workflowId, initiated: Number(initiatedId) });
  }
  return untold;
}

/** @returns false when the run has moved on meanwhile; then nothing was done */
async function resetToBefore(
  client: Client,
  execution: WorkflowExecutionDescription,
  untold: readonly UntoldEnd[],
): Promise<boolean> {
  const { workflowId, runId, historyLength } = execution;
  const children = untold.map(({ child }) => child);
  const first = Math.min(...untold.map(({ initiated }) => initiated));
  const workflowTaskFinishEventId = await findDecision(client, execution, first);
  // Right before: a reset takes the place of whatever an operator may have done since.
  const now = await describeExecution(client, workflowId);
  if (now === null || now.runId !== runId || now.historyLength !== historyLength) return false;
  if (hasWorkflowTask(now)) return false;
  const reset = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: `It waited for ${children.slice(0, 3).join(", ")}, which had ended before the reset.`,
    // Some servers do not tell repeats by it. A second reset ends what the first one made.
    requestId: `untold-ends-of-${runId}`,
    workflowTaskFinishEventId,
  });
  // A reset forgets cancellations.
  if (now.raw.workflowExtendedInfo?.cancelRequested === true) {
    await client.workflow.getHandle(workflowId, reset.runId).cancel();
  }
  return true;
}

/** The event of the workflow task that started a child. @param initiated - the event with which the child began */
async function findDecision(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  initiated: number,
) {
  const { namespace } = client.options;
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const request = { namespace, execution: { workflowId, runId }, nextPageToken };
    const page = await client.workflowService.getWorkflowExecutionHistory(request);
    const event = page.history?.events?.find(({ eventId }) => Number(eventId) === initiated);
    const attributes = event?.startChildWorkflowExecutionInitiatedEventAttributes;
    if (attributes != null) return attributes.workflowTaskCompletedEventId ?? null;
    ({ nextPageToken } = page);
  } while (nextPageToken.length > 0);
  throw new Error(`event ${initiated} of ${workflowId} starts no child`);
}
