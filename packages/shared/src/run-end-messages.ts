// Sandbox-safe.

// What a run's row says when Temporal ended it without code of ours, and what the step that waited for it says.

export const RUN_TIMED_OUT_MESSAGE = "The run exceeded its timeout.";

/** @param reason - an operator's text: of any length, and perhaps not storable */
export function runTerminatedMessage(reason?: string | null): string {
  return `The run was terminated in Temporal${reason ? `: ${reason}` : "."}`;
}
