// What the workflow and the attempts inside its tasks tell each other. Sandbox-safe.
import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import type { AttemptTimes } from "./component-failure.ts";

/** What every component activity gives the workflow: plain JSON of at most 1 MiB. */
export interface ResultEnvelope extends AttemptTimes {
  output: Json;
  artifacts: Artifact[];
}

/** What Temporal does not tell a local activity about its step. */
export interface LocalAttempt {
  step_key: string;
  /** Workflow time at which the step was reached: equal across its attempts, until its workflow task is lost. */
  scheduled_at_ms: number;
}

/** What an activity is told that takes over a step from inside a workflow task. */
export interface EarlierAttempts {
  /** How many of the step's attempts are used up. */
  attempts_before: number;
  /** As in {@link LocalAttempt}. */
  scheduled_at_ms: number;
}

/**
 * Bytes that the input, and the result, of a step inside a workflow task may have: all results of a task travel
 * in one message of at most 4 MiB. A step with more runs like any other.
 */
export const MAX_LOCAL_BYTES = 256 * 1024;

/** Type of the failure by which an attempt says that its step has to run like any other. */
export const NOT_LOCAL = "NotLocal";
