// Starts the batches of a large fan-out and takes over what they recorded.
import { type BatchItems, showItems, toBatchId } from "@truerun/shared/batch-id";
import { clipUtf8, utf8Bytes } from "@truerun/shared/storable-text";
import {
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  TemporalFailure,
  uuid4,
  workflowInfo,
} from "@temporalio/workflow";
import { type BatchRequestedEvent, type BatchResult, MAX_FACTS_BYTES } from "./batch.ts";
import type { FanOut } from "./fan-out.ts";
import { type Item, toItem } from "./fan-out-item.ts";
import { runChild } from "./run-child.ts";
import { runLanes } from "./run-lanes.ts";
import type { StepContext } from "./step.ts";

/** Limits of one batch: items, and bytes of their `with`. */
const BATCH_ITEMS = 100;
const BATCH_BYTES = 1024 * 1024;

interface Batch {
  first: number;
  items: Item[];
}

/** Runs the items in child workflows: one batch after another, or some at once, as the concurrency asks. */
export async function runInBatches(fanOut: FanOut): Promise<void> {
  const { component, items, context } = fanOut;
  const concurrency = component.max_concurrency ?? 1;
  const lanes = Math.ceil(concurrency / BATCH_ITEMS);
  const firstOrdinal = context.recorder.reserve(items.count);
  let next = 0;
  await runLanes<Batch>({
    concurrency: lanes,
    take() {
      if (next === items.count) return undefined;
      const batch = toBatch(fanOut, next);
      next += batch.items.length;
      return batch;
    },
    run: (batch) =>
      startAndCollect(fanOut, batch, {
        firstOrdinal,
        concurrency: Math.floor(concurrency / lanes),
      }),
  });
}

/** The items from `first` on that fit into one batch. */
function toBatch({ items }: FanOut, first: number): Batch {
  const batch: Batch = { first, items: [] };
  let bytes = 0;
  for (let index = first; index < Math.min(first + BATCH_ITEMS, items.count); index++) {
    const item = toItem(items, index);
    bytes += "with" in item ? item.bytes : 0;
    if (bytes > BATCH_BYTES && index > first) break;
    batch.items.push(item);
  }
  return batch;
}

/** @returns whether the fan-out goes on */
async function startAndCollect(
  { component, collector, context }: FanOut,
  batch: Batch,
  { firstOrdinal, concurrency }: { firstOrdinal: number; concurrency: number },
): Promise<boolean> {
  const { recorder, run } = context;
  if (collector.isHistoryFull()) return false;
  const batchItems: BatchItems = {
    workflowRunId: run.workflow_run_id,
    componentKey: component.key,
    first: batch.first,
    last: batch.first + batch.items.length - 1,
  };
  const range = showItems(batchItems);
  const event: BatchRequestedEvent = {
    event_type: "Workflow.BatchRequested",
    data: {
      run,
      // What the items need of it; their `with` is resolved already.
      component: { ...component, with: {}, next: [], for_each: [] },
      first_index: batch.first,
      items: batch.items,
      concurrency,
      place: recorder.placeBatch(firstOrdinal),
    },
  };
  try {
    const result = await startBatch(batchItems, event, context);
    if ("excess_bytes" in result) {
      collector.refuseOutput(result.excess_bytes, MAX_FACTS_BYTES);
      return false;
    }
    // Its failure is the reason why the others are canceled, some of which may have begun before it.
    const cause = result.facts.find(({ index }) => index === result.ended_by);
    let goesOn = cause === undefined || collector.add(cause.index, cause);
    for (const fact of result.facts) if (!collector.add(fact.index, fact)) goesOn = false;
    recorder.adopt(component.key, result.facts, firstOrdinal);
    const untold = batch.items.length - result.facts.length;
    const isOnItsOwn = goesOn && untold > 0 && !CancellationScope.current().consideredCancelled;
    // If so, somebody canceled the batch in Temporal.
    return isOnItsOwn ? collector.lose(`${untold} of the items ${range} did not run.`) : goesOn;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    return collector.lose(`Items ${range} are lost: ${clipUtf8(toReason(error), 500)}`);
  }
}

async function startBatch(
  batchItems: BatchItems,
  event: BatchRequestedEvent,
  context: StepContext,
): Promise<BatchResult> {
  const bytes = utf8Bytes(JSON.stringify(event));
  if (!context.budget.trySchedule(bytes)) await context.budget.scheduleLater(bytes);
  const { workflowType, typedSearchAttributes } = workflowInfo();
  const { componentKey, first } = batchItems;
  // After a reset the same batch has another id: the earlier one may still be running.
  const workflowId = toBatchId(batchItems, uuid4().slice(0, 8));
  const count = event.data.items.length;
  context.reviews.delegate({ componentKey, first, count, workflowId });
  return await runChild<BatchResult>(
    {
      workflowType,
      options: {
        workflowId,
        args: [event],
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        typedSearchAttributes,
        staticSummary: `Items ${showItems(batchItems)} of \`${componentKey}\``,
      },
    },
    context,
  );
}

/** The cause behind a child workflow's failure: why the batch did not complete. */
function toReason(failure: TemporalFailure): string {
  const { cause } = failure;
  return cause instanceof Error && cause.message !== "" ? cause.message : failure.message;
}
