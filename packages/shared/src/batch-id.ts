// The workflow id of a batch: `<run id>/<component key>[<first item>-<last item>]/<suffix>`. Sandbox-safe.

const BATCH_ID = /^([^/]+)\/(.+)\[(\d+)-(\d+)\]\/[^/]+$/;

/** The items of a run that a batch is for. */
export interface BatchItems {
  workflowRunId: string;
  componentKey: string;
  /** Indices of the first and the last one. */
  first: number;
  last: number;
}

/** `[<first item>-<last item>]`, in ids and in texts that histories hold. */
export function showItems({ first, last }: Pick<BatchItems, "first" | "last">): string {
  return `[${first}-${last}]`;
}

/** @param suffix - tells apart the batches of the same items, of which a reset makes another; without a slash */
export function toBatchId(items: BatchItems, suffix: string): string {
  const { workflowRunId, componentKey } = items;
  return `${toBatchPrefix(workflowRunId)}${componentKey}${showItems(items)}/${suffix}`;
}

/** Null for the workflow id of anything but a batch. */
export function parseBatchId(workflowId: string): BatchItems | null {
  const [, workflowRunId, componentKey, first, last] = BATCH_ID.exec(workflowId) ?? [];
  if (workflowRunId === undefined || componentKey === undefined) return null;
  return { workflowRunId, componentKey, first: Number(first), last: Number(last) };
}

/** What the workflow ids of a run's batches begin with, and no others. */
export function toBatchPrefix(workflowRunId: string): string {
  return `${workflowRunId}/`;
}

/** Whether the workflow is a batch of the run. */
export function isBatchOf(workflowRunId: string, workflowId: string): boolean {
  return workflowId.startsWith(toBatchPrefix(workflowRunId));
}

/**
 * The run that a workflow, itself a run or a batch, belongs to. Workers in other languages are told to do the same
 * (`docs/components-in-other-languages.md`).
 */
export function toWorkflowRunId(workflowId: string): string {
  return workflowId.split("/", 1)[0] ?? workflowId;
}
