import type { WorkflowDefinitionDocument } from "./definition.ts";
import type { JsonObject } from "./json.ts";

/** Identifies a run: what everything that works for a run knows about it. */
export interface RunIdentity {
  workflow_run_id: string;
  org_id: string;
  workflow_name: string;
  workflow_definition_id: string;
  definition_version: number;
  /** Unix seconds. */
  started_at: number;
  /** Only for a child run: the runs above it, root first. */
  ancestors?: readonly Ancestor[];
}

/** What a child run has to know about a run above it. */
export interface Ancestor {
  workflow_definition_id: string;
  workflow_name: string;
}

/**
 * The only argument of a run's Temporal workflow. It is built only from the run's row and what that points to,
 * so that every try to dispatch a run hands Temporal the same event. Only a child run's `ancestors` come from
 * elsewhere: nobody but its parent run starts it, and Temporal keeps what the parent run hands over.
 */
export interface RunRequestedEvent {
  /** `cbevt_` and the run's own 32 hex digits: one run has one such event. */
  event_id: string;
  event_type: "Workflow.RunRequested";
  /** Unix seconds: the run's `started_at`. */
  occurred_at: number;
  data: RunIdentity & {
    input: JsonObject;
    definition: WorkflowDefinitionDocument;
  };
}
