// What Temporal's API answers with where the SDK does not translate it. Not for the sandbox.
import proto from "@temporalio/proto";

/** By the names that Temporal's API has for its numbers. */
export const {
  EventType,
  IndexedValueType,
  ParentClosePolicy,
  PendingActivityState,
  PendingWorkflowTaskState,
  TaskQueueType,
  WorkflowExecutionStatus,
} = proto.temporal.api.enums.v1;

/** A time of Temporal's as unix milliseconds, whole ones, which are what the tables keep. */
export function toUnixMs(time: proto.google.protobuf.ITimestamp | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  return Number(time.seconds ?? 0) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000);
}
