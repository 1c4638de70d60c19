import type { WorkflowDefinitionDocument } from "./definition.ts";
import type { JsonObject } from "./json.ts";

/** Which run it is: what everything that works for a run knows of it. */
export interface RunIdentity {
  workflow_run_id: string;
  org_id: string;
  workflow_name: string;
  workflow_definition_id: string;
  definition_version: number;
  /** Unix seconds. */
  started_at: number;
  /** Only of a child run: the runs above it, the root first. */
  ancestors?: readonly Ancestor[];
}

/** What a child run has to know of a run above it. */
export interface Ancestor {
  workflow_definition_id: string;
  workflow_name: string;
}

/**
 * The only argument of a run's Temporal workflow. It is built from the run's row and nothing else, so
 * that every try to dispatch a run hands Temporal the same event. Only a child run's has something from
 * elsewhere, its `ancestors`: nobody but its parent run starts it, and Temporal keeps what it hands over.
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
