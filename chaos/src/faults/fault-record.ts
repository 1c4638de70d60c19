import type { Interval } from "../watch/sightings.ts";
import type { Fault } from "../plan/fault.ts";

/** A fault as it happened. */
export interface FaultRecord extends Interval {
  fault: Fault;
  /** What an operator's act was done to, and what came of it. */
  act: OperatorRecord | null;
}

export interface OperatorRecord {
  runId: string;
  requestedAt: number;
  /** What the service or Temporal answered. */
  outcome: "done" | "refused" | "unknown";
}
