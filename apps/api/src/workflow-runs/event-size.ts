import { MAX_DEFINITION_BYTES } from "@truerun/shared/contracts/definition";
import {
  type DispatchableRun,
  MAX_EVENT_BYTES,
  serializedEventBytes,
} from "@truerun/shared/dispatch/run-requested";
import type { RunInput } from "./run-body.ts";

/** More than a run's ids, times and name can take in its start event. */
const FRAME_BYTES = 16 * 1024;
/** `1e20` is written out with 21 digits; nothing grows more than that when it is serialized again. */
const MOST_GROWTH = 8;

/**
 * Bytes that a run's start event has left for the definition's document, negative when there are none.
 * Only large inputs are measured: a small one leaves room for any definition.
 */
export function documentRoomBytes(workflowName: string, input: RunInput): number {
  const bound = FRAME_BYTES + MOST_GROWTH * Buffer.byteLength(input.text);
  if (bound + 2 * MAX_DEFINITION_BYTES <= MAX_EVENT_BYTES) return MAX_EVENT_BYTES - bound;
  return MAX_EVENT_BYTES - serializedEventBytes(toSample(workflowName, input));
}

/** A run with this input, with ids and numbers of maximum length and an empty document. */
function toSample(workflowName: string, input: RunInput): DispatchableRun {
  const id = "x".repeat(40);
  return {
    workflowRunId: id,
    orgId: id,
    orgName: "",
    workflowName,
    workflowDefinitionId: id,
    definitionVersion: 2 ** 31,
    startedAt: 10 ** 11,
    input: input.value,
    document: { description: "", timeout: "", components: [] },
  };
}
