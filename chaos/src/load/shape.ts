import type { JsonObject } from "@truerun/shared/contracts/json";
import type { RunStatus, StepStatus } from "@truerun/shared/contracts/statuses";

/** A definition, and how a run of it ends when nobody interferes. */
export interface Shape {
  name: string;
  /** How often it is started, compared with the others. */
  weight: number;
  /** Saved under the shape's name. */
  definition: JsonObject;
  /** `started`: it never ends, and is at rest once its steps are these. */
  ends: RunStatus;
  /** Every step that it records, with its status; null: no result yet. */
  steps: Readonly<Record<string, StepStatus | null>>;
  /** How often each step that affects the world does so when no fault hits it. */
  effects: Readonly<Record<string, number>>;
  /** Those of them that run inside of a workflow task. */
  local?: readonly string[];
}

type Edge = string | { to: string; on?: "failure" | "always"; when?: JsonObject };

interface Options {
  next?: readonly Edge[];
  more?: JsonObject;
}

/** Attempts never run out while faults go on: an end that differs from the shape's is always a bug. */
const RETRY = {
  max_attempts: 100,
  initial_interval: "200ms",
  backoff_coefficient: 1.5,
  max_interval: "2s",
};

/** A component that affects the world: the ledger records it, and answers as `path` says. */
export function effect(key: string, path: string, options: Options = {}): JsonObject {
  const url = `\${{ input.ledger }}/${path}`;
  return component(key, {
    ...options,
    more: {
      action: "http_request",
      with: { method: "POST", url, body: { load_id: "${{ input.load_id }}" } },
      timeout: "10s",
      retry: RETRY,
      ...options.more,
    },
  });
}

/** Like {@link effect}, but inside of the workflow task. */
export function localEffect(key: string, path: string, options: Options = {}): JsonObject {
  const url = `\${{ input.ledger }}/${path}`;
  return component(key, {
    ...options,
    more: { action: "ledger_note", with: { url }, retry: RETRY, ...options.more },
  });
}

export function component(key: string, { next = [], more = {} }: Options): JsonObject {
  const edges = next.map((edge) => (typeof edge === "string" ? { to: edge } : { ...edge }));
  return { key, next: edges, ...more };
}

/** Every key with the same value. */
export function each<T>(keys: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(keys.map((key) => [key, value]));
}

/** `key[0]`, `key[1]`, ... */
export function items(key: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${key}[${index}]`);
}

/** For a component that runs for `count` items, `concurrency` at a time. */
export function forEach(count: number, concurrency: number) {
  const list = Array.from({ length: count }, (_, index) => index);
  return { for_each: list, max_concurrency: concurrency };
}
