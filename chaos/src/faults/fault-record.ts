import type { Interval } from "../watch/sightings.ts";
import { type Fault, isOperatorFault } from "../plan/fault.ts";

/** A fault as it happened. */
export interface FaultRecord extends Interval {
  fault: Fault;
  /** What an operator tried, and what came of it: at most the last try was done. */
  acts: readonly OperatorRecord[];
}

/** Whether it happened at all: an operator's act that was refused changed nothing. */
export function hasHappened({ fault, acts }: FaultRecord): boolean {
  return !isOperatorFault(fault) || acts.some(({ outcome }) => outcome === "done");
}

export interface OperatorRecord {
  runId: string;
  requestedAt: number;
  /** What the service or Temporal answered. */
  outcome: "done" | "refused" | "unknown";
}
