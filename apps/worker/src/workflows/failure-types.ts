import type { RunErrorCode } from "@truerun/shared/contracts/statuses";

/** Types of the failures that the interpreter ends a run with, by their error codes in the API. */
export const FAILURE_TYPES = {
  component_failed: "ComponentFailed",
  workflow_failed: "WorkflowFailed",
} as const satisfies Partial<Record<RunErrorCode, string>>;
