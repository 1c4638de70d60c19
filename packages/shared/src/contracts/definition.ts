import type { Json, JsonObject } from "./json.ts";

/** Maximum components of one definition. */
export const MAX_COMPONENTS = 500;
/** Largest definition, as UTF-8 bytes of its JSON. */
export const MAX_DEFINITION_BYTES = 256 * 1024;
/** What a component's key looks like; at most {@link MAX_KEY_LENGTH} characters. */
export const COMPONENT_KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** Maximum characters of a component's key. */
export const MAX_KEY_LENGTH = 64;
/** Maximum items of one `for_each`. */
export const MAX_ITEMS = 10_000;
/** How many items of a `for_each` run at once if its component does not say. */
export const DEFAULT_CONCURRENCY = 10;
/** How many items of a `for_each` may run at once. */
export const MAX_CONCURRENCY = 200;
/** How deep a condition may nest; a lone leaf is depth 1. */
export const MAX_CONDITION_DEPTH = 16;
/** Maximum nodes of a condition: comparisons, `all`, `any` and `not`. */
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
  /** Required by every op but `exists`, which takes none or a boolean. */
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

/** Timeout of one attempt when neither the definition nor the action sets one. */
export const DEFAULT_ATTEMPT_TIMEOUT = "30s";
/** Longest timeout of an attempt inside its workflow task, which must not need a heartbeat for it. */
export const MAX_LOCAL_TIMEOUT = "5s";
/** How attempts are repeated when neither the definition nor the action sets it. */
export const DEFAULT_RETRY: Readonly<RetryPolicy> = {
  max_attempts: 5,
  initial_interval: "1s",
  backoff_coefficient: 2,
  max_interval: "1m",
};

/** One component of a saved definition; every default is filled in. */
export interface ComponentDefinition {
  /** `cbwc_...`, derived from the definition's id and the key: the same in every version. */
  id: string;
  key: string;
  name: string;
  action: string;
  with: JsonObject;
  next: Edge[];
  /** Timeout of one attempt. */
  timeout: string;
  retry: RetryPolicy;
  /** A list, or a reference to one: the component runs once for each of its items. */
  for_each?: string | Json[];
  /** How many items run at once; set exactly when `for_each` is. */
  max_concurrency?: number;
  on_failure: FailurePolicy;
  /**
   * `local`: runs inside its run's workflow task, as the action's author allows. Absent: as a Temporal
   * activity. Never written by a definition's author.
   */
  execution?: "local";
  /** Where another team's worker polls, if it serves the action. Never written by a definition's author. */
  task_queue?: string;
  /** How long that worker may be silent during an attempt; absent: as long as the attempt may take. */
  heartbeat_timeout?: string;
}

/** What a version's `document` column holds and a run carries. */
export interface WorkflowDefinitionDocument {
  description: string;
  /** Timeout of the whole run. */
  timeout: string;
  components: ComponentDefinition[];
}

/** One component as its author wrote it; defaults that depend on nothing else are filled in. */
export interface ComponentInput {
  key: string;
  /** Default: the key. */
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

/** A definition as callers send it and files of `workflows/` hold it, after parsing. */
export interface WorkflowDefinitionInput {
  description?: string;
  enabled: boolean;
  timeout?: string;
  components: ComponentInput[];
}
