// OWNED BY THE ENGINE HELPER: the zod schemas come here; the exported types below are fixed.
import type { Json, JsonObject } from "./json.ts";

export type ConditionOp = "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "contains" | "starts_with" | "exists";
export type Condition =
  | { path: string; op: ConditionOp; value?: Json }
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition };

export interface Edge {
  to: string;
  on: "success" | "failure" | "always";
  when?: Condition;
}

export interface RetryPolicy {
  max_attempts: number;
  initial_interval: string;
  backoff_coefficient: number;
  max_interval: string;
}

/** One component of a saved definition; every default is filled in. */
export interface ComponentDefinition {
  /** `cbwc_...`, made when the key first appears in the definition and kept across its versions. */
  id: string;
  key: string;
  name: string;
  action: string;
  with: JsonObject;
  next: Edge[];
  /** Duration of one attempt. */
  timeout: string;
  retry: RetryPolicy;
  on_failure: "fail_run" | "continue";
}

/** What a version's `document` column holds and a run carries. */
export interface WorkflowDefinitionDocument {
  description: string;
  /** Duration of the whole run. */
  timeout: string;
  components: ComponentDefinition[];
}
