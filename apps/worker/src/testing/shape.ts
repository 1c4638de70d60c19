// For tests only.
import type { ComponentDefinition, Edge } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { ReviewAnswer } from "@truerun/shared/contracts/review";
import type { RunStatus } from "@truerun/shared/contracts/statuses";

/** A run to start, what an operator does to it, and how it goes. */
export interface Shape {
  name: string;
  input?: JsonObject;
  timeout?: string;
  components: () => ComponentDefinition[];
  /** Other definitions of its org, by their names. */
  others?: Readonly<Record<string, () => ComponentDefinition[]>>;
  /** What an operator does in Temporal once this many steps are recorded; a person answers. */
  operator?: { afterSteps: number } & (
    | { action: "cancel" | "terminate" }
    | { action: "answer"; answer: ReviewAnswer }
  );
  ends: RunStatus;
  /** `key: status` in the order of recording, where that is determined. */
  steps: string[];
}

/** An edge without a condition. */
export const to = (key: string, on: Edge["on"] = "success"): Edge => ({ to: key, on });
