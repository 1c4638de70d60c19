import type { Execution, Facts } from "../checks/facts.ts";
import { groupBy } from "../checks/group-by.ts";
import type { FaultRecord } from "../faults/fault-record.ts";
import { isPartFault } from "../plan/fault.ts";
import { withoutFaults } from "../watch/sightings.ts";

/**
 * The longest that rows took to be confirmed after Temporal had closed their run, in milliseconds. Not
 * counted is when Postgres or Temporal was away, since nothing can be confirmed then; that a worker was is.
 */
export function worstRepairMs({ runs, executions, faults }: Facts): number {
  const outages = faults.filter(isOutage);
  let worst = 0;
  for (const [runId, chain] of groupBy(executions, (execution) => execution.runId)) {
    const from = lastClose(chain);
    const to = runs.get(runId)?.confirmedAt ?? null;
    if (from !== null && to !== null) worst = Math.max(worst, withoutFaults({ from, to }, outages));
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
