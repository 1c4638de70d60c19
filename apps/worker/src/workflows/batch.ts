// A batch: the part of a large fan-out that a child workflow runs, so that no history grows without bound.
import { showItems } from "@truerun/shared/batch-id";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { RunIdentity } from "@truerun/shared/contracts/run-requested-event";
import { toItemKey } from "@truerun/shared/step-key";
import { utf8Bytes } from "@truerun/shared/storable-text";
import { CancellationScope, condition, patched } from "@temporalio/workflow";
import { endsFanOut, type Item, runItem } from "./fan-out-item.ts";
import { BATCHES_NAME_THEIR_LIMIT } from "./patches.ts";
import { runLanes } from "./run-lanes.ts";
import { CANCEL_GRACE_MS, createStepContext, type StepContext } from "./step.ts";
import { BATCH_CANCELED, type StepFacts } from "./step-facts.ts";
import { type BatchPlace, StepRecorder } from "./step-recorder.ts";

/** Temporal takes results of up to 2 MiB; what is larger cannot be told to the run. */
export const MAX_FACTS_BYTES = 1536 * 1024;

/** How long a canceled batch waits for its child runs: less than its run waits for it. */
const CHILD_GRACE_MS = 20_000;

/** The only argument of a batch's Temporal workflow. */
export interface BatchRequestedEvent {
  event_type: "Workflow.BatchRequested";
  data: {
    run: RunIdentity;
    component: ComponentDefinition;
    /** Index of the first of the items, which are consecutive. */
    first_index: number;
    items: Item[];
    concurrency: number;
    place: BatchPlace;
  };
}

/** What a batch tells its run: its steps, or only how large they would be. */
export type BatchResult = BatchFacts | { excess_bytes: number };

interface BatchFacts {
  /** In the order in which the steps began. */
  facts: StepFacts[];
  /** Index of the item whose failure ended the batch; absent in histories of batches that did not tell it. */
  ended_by?: number;
}

/** Whether a workflow's argument says that it is a batch. */
export function isBatchRequested(argument: unknown): argument is BatchRequestedEvent {
  const event = argument as Partial<BatchRequestedEvent> | null | undefined;
  return event?.event_type === "Workflow.BatchRequested";
}

/** The recorder of a batch: its records take their place among its run's. */
export function createBatchRecorder({ data: { run, component, place } }: BatchRequestedEvent) {
  const recorder = new StepRecorder({
    workflowRunId: run.workflow_run_id,
    components: [component],
    batch: place,
  });
  recorder.cancelReason = BATCH_CANCELED;
  return recorder;
}

/** Runs a batch. It completes even when it is canceled: its result says what became of its items. */
export async function runBatch(
  event: BatchRequestedEvent,
  recorder: StepRecorder,
): Promise<BatchResult> {
  const root = CancellationScope.current();
  return await CancellationScope.nonCancellable(async () => {
    const scope = new CancellationScope();
    const context = createStepContext(event.data.run, recorder, [event.data.component]);
    let isDone = false;
    let endedBy: number | undefined;
    root.cancelRequested.catch(() => scope.cancel());
    void scope
      .run(() =>
        runAll(event, context, (index) => {
          endedBy ??= index;
        }),
      )
      .then(() => {
        isDone = true;
      });
    await condition(() => isDone || scope.consideredCancelled);
    await condition(() => isDone, context.children > 0 ? CHILD_GRACE_MS : CANCEL_GRACE_MS);
    recorder.interrupt(recorder.cancelReasonOf(event.data.component.key));
    recorder.showBatchEnd(scope.consideredCancelled ? "canceled" : "completed");
    return toResult({
      facts: recorder.facts(),
      ...(endedBy === undefined ? {} : { ended_by: endedBy }),
    });
  });
}

/** @param onEnd - called with the index of an item whose failure ends them all, before the others are canceled */
async function runAll(
  event: BatchRequestedEvent,
  context: StepContext,
  onEnd: (index: number) => void,
): Promise<void> {
  const { component, first_index: first, items, concurrency } = event.data;
  let next = 0;
  let bytes = 0;
  await runLanes({
    concurrency,
    take: () => (next < items.length ? next++ : undefined),
    async run(at) {
      const key = toItemKey(component.key, first + at);
      const item = items[at] ?? { refused: "The batch has no such item." };
      const { status, output } = await runItem({ key, component }, item, context);
      bytes += utf8Bytes(JSON.stringify(output));
      const endsAll = status === "failed" && endsFanOut(component);
      // What is canceled with the batch fails as well, but ends nothing.
      const endsItself = !CancellationScope.current().consideredCancelled;
      if (endsAll && endsItself) onEnd(first + at);
      // There is no use in gathering more than the run can be told.
      const isTooMuch = bytes > MAX_FACTS_BYTES;
      if (isTooMuch && !endsAll && endsItself) explainLimit(event, context.recorder);
      return !isTooMuch && !endsAll;
    },
  });
}

/** Sets what those say that are about to be canceled: their run, which is told nothing of them, cannot. */
function explainLimit({ data }: BatchRequestedEvent, recorder: StepRecorder): void {
  const { component, first_index: first, items } = data;
  const isOpen = items.some((_, at) => recorder.isOpen(toItemKey(component.key, first + at)));
  if (!isOpen || !patched(BATCHES_NAME_THEIR_LIMIT)) return;
  const range = showItems({ first, last: first + items.length - 1 });
  const reason = `Canceled because the outputs of items ${range} exceed ${MAX_FACTS_BYTES} bytes.`;
  recorder.setCancelReason(component.key, reason);
}

function toResult(told: BatchFacts): BatchResult {
  const bytes = utf8Bytes(JSON.stringify(told.facts));
  return bytes > MAX_FACTS_BYTES ? { excess_bytes: bytes } : told;
}
