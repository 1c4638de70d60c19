// Sandbox-safe: a run starts its child runs with the same event.
import type { WorkflowDefinitionDocument } from "../contracts/definition.ts";
import type { JsonObject } from "../contracts/json.ts";
import type { Ancestor, RunRequestedEvent } from "../contracts/run-requested-event.ts";
import { utf8Bytes } from "../storable-text.ts";

/** All that dispatching needs to know about a run; every field comes from the run's row or what it points to. */
export interface DispatchableRun {
  workflowRunId: string;
  orgId: string;
  orgName: string;
  workflowName: string;
  workflowDefinitionId: string;
  definitionVersion: number;
  /** Unix seconds. */
  startedAt: number;
  input: JsonObject;
  document: WorkflowDefinitionDocument;
  /** Only for a child run, and the one thing that its row does not hold: its parent run knows them. */
  ancestors?: readonly Ancestor[];
}

/**
 * Maximum bytes of a run's start event. Temporal refuses a payload over 2 MiB; the rest of the start
 * request (names, search attributes) needs a little room beside it.
 */
export const MAX_EVENT_BYTES = 2 * 1024 * 1024 - 64 * 1024;

/** The event that starts a run: a function of the run, so that every try sends the same. */
export function toRunRequestedEvent(run: DispatchableRun): RunRequestedEvent {
  return {
    event_id: `cbevt_${run.workflowRunId.slice("cbwr_".length)}`,
    event_type: "Workflow.RunRequested",
    occurred_at: run.startedAt,
    data: {
      workflow_run_id: run.workflowRunId,
      org_id: run.orgId,
      workflow_name: run.workflowName,
      workflow_definition_id: run.workflowDefinitionId,
      definition_version: run.definitionVersion,
      started_at: run.startedAt,
      ...(run.ancestors === undefined ? {} : { ancestors: run.ancestors }),
      input: run.input,
      definition: run.document,
    },
  };
}

/** Size of the run's start event as Temporal will store it; compare with {@link MAX_EVENT_BYTES}. */
export function serializedEventBytes(run: DispatchableRun): number {
  return utf8Bytes(JSON.stringify(toRunRequestedEvent(run)));
}
