// Sandbox-safe.

/** A step's message about an attempt that Temporal timed out; `timeoutType` is Temporal's word for it. */
export function timeoutMessage(timeoutType: string | undefined): string {
  if (timeoutType === "HEARTBEAT") return "The worker that ran the component stopped answering.";
  if (timeoutType === "START_TO_CLOSE") return "The component did not finish within its timeout.";
  return `The component timed out (${timeoutType ?? "unknown"}).`;
}
