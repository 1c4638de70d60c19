import type { Execution, Facts } from "../checks/facts.ts";
import { groupBy } from "../checks/group-by.ts";
import type { FaultRecord } from "../faults/fault-record.ts";
import { isPartFault } from "../plan/fault.ts";
import { withoutFaults } from "../watch/sightings.ts";

interface Repair {
  runId: string;
  ms: number;
}

/**
 * The longest that a run took to be confirmed after Temporal had closed it, in milliseconds. Time in which
 * Postgres or Temporal was away does not count, since nothing can be confirmed then; a worker's absence does.
 */
export function findWorstRepair({ runs, executions, faults }: Facts): Repair | null {
  const outages = faults.filter(isOutage);
  let worst: Repair | null = null;
  for (const [runId, chain] of groupBy(executions, (execution) => execution.runId)) {
    const from = lastClose(chain);
    const to = runs.get(runId)?.confirmedAt ?? null;
    if (from === null || to === null) continue;
    const ms = withoutFaults({ from, to }, outages);
    if (worst === null || ms > worst.ms) worst = { runId, ms };
  }
  return worst;
}

function isOutage({ fault }: FaultRecord): boolean {
  return isPartFault(fault) && (fault.target === "postgres" || fault.target === "temporal");
}

function lastClose(chain: readonly Execution[]): number | null {
  const closes = chain.map(({ closedAt }) => closedAt);
  return closes.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)), 0);
}
