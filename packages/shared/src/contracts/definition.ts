import type { Json, JsonObject } from "./json.ts";

/** Most components of one definition. */
export const MAX_COMPONENTS = 500;
/** Largest definition, as UTF-8 bytes of its JSON. */
export const MAX_DEFINITION_BYTES = 256 * 1024;
/** What a component's key looks like; at most {@link MAX_KEY_LENGTH} characters. */
export const COMPONENT_KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
export const MAX_KEY_LENGTH = 64;
/** Most items of one `for_each`; how many run at once, unless the definition says it, and at most. */
export const MAX_ITEMS = 10_000;
export const DEFAULT_CONCURRENCY = 10;
export const MAX_CONCURRENCY = 200;
/** How deep a condition may nest, a lone leaf being depth 1, and of how many nodes it may be made. */
export const MAX_CONDITION_DEPTH = 16;
export const MAX_CONDITION_NODES = 256;

/** What a condition can ask of the value at its path. */
export const CONDITION_OPS = [
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "contains",
  "starts_with",
  "exists",
] as const;
export type ConditionOp = (typeof CONDITION_OPS)[number];

/** One comparison of a condition. */
export interface ConditionLeaf {
  path: string;
  op: ConditionOp;
  /** Needed by every op but `exists`, which takes none or a boolean. */
  value?: Json;
}

export type Condition =
  | ConditionLeaf
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition };

/** Which outcomes of a component an edge follows. */
export const EDGE_TRIGGERS = ["success", "failure", "always"] as const;
export type EdgeTrigger = (typeof EDGE_TRIGGERS)[number];

/** What a failing component does to the run. */
export const FAILURE_POLICIES = ["fail_run", "continue"] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

export interface Edge {
  to: string;
  on: EdgeTrigger;
  when?: Condition;
}

/** How attempts of a component are repeated; intervals are durations such as `1s`. */
export interface RetryPolicy {
  max_attempts: number;
  initial_interval: string;
  backoff_coefficient: number;
  max_interval: string;
}

/** Duration of one attempt when neither the definition nor the action says one. */
export const DEFAULT_ATTEMPT_TIMEOUT = "30s";
/** The longest attempt that runs inside of its workflow task: the task must not have to be renewed for it. */
export const MAX_LOCAL_TIMEOUT = "5s";
/** How attempts are repeated when neither the definition nor the action says it. */
export const DEFAULT_RETRY: Readonly<RetryPolicy> = {
  max_attempts: 5,
  initial_interval: "1s",
  backoff_coefficient: 2,
  max_interval: "1m",
};

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
  /** A list, or the reference to one: the component runs once for each of its items. */
  for_each?: string | Json[];
  /** How many items run at once; there exactly when `for_each` is. */
  max_concurrency?: number;
  on_failure: FailurePolicy;
  /**
   * `local`: runs inside of its run's workflow task, as the action's author allows. Absent: as a Temporal
   * activity. No author of a definition writes it.
   */
  execution?: "local";
  /** Of an action that another team's worker serves: where that worker polls. No author writes it. */
  task_queue?: string;
  /** How long that worker may be silent during an attempt; absent: as long as the attempt may take. */
  heartbeat_timeout?: string;
}

/** What a version's `document` column holds and a run carries. */
export interface WorkflowDefinitionDocument {
  description: string;
  /** Duration of the whole run. */
  timeout: string;
  components: ComponentDefinition[];
}

/** One component as its author wrote it; what depends on nothing but the component is filled in. */
export interface ComponentInput {
  key: string;
  /** Absent: the key. */
  name?: string;
  action: string;
  with: JsonObject;
  next: Edge[];
  for_each?: string | Json[];
  max_concurrency?: number;
  timeout?: string;
  retry?: Partial<RetryPolicy>;
  on_failure: FailurePolicy;
}

/** What a caller puts, and what a file of `workflows/` holds, after parsing. */
export interface WorkflowDefinitionInput {
  description?: string;
  enabled: boolean;
  timeout?: string;
  components: ComponentInput[];
}
