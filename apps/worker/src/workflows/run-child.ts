import {
  CancellationScope,
  type ChildWorkflowOptions,
  getExternalWorkflowHandle,
  log,
  startChild,
} from "@temporalio/workflow";
import type { StepContext } from "./step.ts";

/** A child workflow to run to its end. */
export interface ChildWorkflow {
  workflowType: string;
  options: Omit<ChildWorkflowOptions, "args"> & { workflowId: string; args: [unknown] };
  /** Called once the child is started. */
  onStarted?: () => void;
}

/**
 * Runs a child workflow to its end. When the surrounding scope is canceled, the child is canceled and waited
 * for. It is canceled like an external workflow: Temporal passes on a parent's own cancellation only from the
 * Temporal run that started the child, which after a reset is not this one.
 *
 * @returns the child's result
 * @throws ChildWorkflowFailure when the child fails; CancelledFailure when it is canceled before it starts
 */
export async function runChild<Result>(
  { workflowType, options, onStarted }: ChildWorkflow,
  context: StepContext,
): Promise<Result> {
  const surrounding = CancellationScope.current();
  if (surrounding.consideredCancelled) await surrounding.cancelRequested;
  context.children++;
  let isRunning = true;
  try {
    return await CancellationScope.nonCancellable(async () => {
      const child = await startChild<(argument: unknown) => Promise<Result>>(workflowType, options);
      onStarted?.();
      surrounding.cancelRequested.catch(() => {
        if (isRunning) void cancelQuietly(options.workflowId);
      });
      return await child.result();
    });
  } finally {
    isRunning = false;
    context.children--;
  }
}

/** One that has ended by now cannot be canceled, and need not be. */
async function cancelQuietly(workflowId: string): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).cancel());
  } catch (error) {
    log.info("a child workflow took no cancellation", { child: workflowId, error });
  }
}
