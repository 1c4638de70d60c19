import type { FaultRecord } from "../faults/fault-record.ts";
import { isLinkFault, isPartFault } from "../plan/fault.ts";
import { countAttempts } from "./count-attempts.ts";
import { type Facts, resetRuns, type StepFact, touchedRuns } from "./facts.ts";

/** A lost attempt is noticed by its heartbeats, and repeated after a pause. */
const NOTICED_WITHIN_MS = 15_000;

/**
 * I6: the ledger against the steps' records.
 *
 * @returns how many steps no fault could hit, of which each execution was counted
 */
export async function checkEffects(facts: Facts): Promise<number> {
  const { runs, steps, shapes, executionsOf, findings } = facts;
  const touched = touchedRuns(facts);
  const reset = resetRuns(facts);
  const told = new Set(steps.map(({ runId, key }) => `${runId}:${key}`));
  const attempts = await countAttempts(facts.client, facts.executions, reset);
  const hits = facts.faults.filter(hitsComponents);
  let undisturbed = 0;
  for (const step of steps) {
    const clean = shapes.get(runs.get(step.runId)?.workflowName ?? "")?.effects[step.key];
    if (clean === undefined) continue;
    const executions = executionsOf.get(`${step.runId}:${step.key}`) ?? [];
    const isUndisturbed = !touched.has(step.runId) && !hits.some((fault) => hitsStep(fault, step));
    if (isUndisturbed) undisturbed += 1;
    const limits = {
      least: step.status === "success" ? 1 : 0,
      most: reset.has(step.runId)
        ? attempts(step.runId, step.key)
        : (step.attempt ?? Number.POSITIVE_INFINITY),
      ...(isUndisturbed && step.status !== null ? { least: clean, most: clean } : {}),
    };
    if (executions.length >= limits.least && executions.length <= limits.most) continue;
    const verdict = executions.length < limits.least ? "lost" : "doubled";
    const what = `step ${step.key} (${step.status}, attempt ${step.attempt}) was done ${executions.length} times, not ${limits.least} to ${limits.most}`;
    findings.add({ invariant: "I6", verdict, runId: step.runId, what });
  }
  for (const key of executionsOf.keys()) {
    const [runId = ""] = key.split(":");
    if (told.has(key) || reset.has(runId)) continue;
    const what = `${key} was done, and no step records it`;
    findings.add({ invariant: "I6", verdict: "diverged", runId, what });
  }
  return undisturbed;
}

/**
 * Whether a fault can make a component run again: those that part a worker from Temporal. Not among them is
 * whatever happens to Postgres or to gateways, and that a worker is asked to end.
 */
function hitsComponents({ fault }: FaultRecord): boolean {
  if (isPartFault(fault)) {
    if (fault.target === "temporal") return true;
    return fault.target.startsWith("worker") && fault.kind !== "restart";
  }
  return isLinkFault(fault) && /^worker.*temporal$/.test(fault.target);
}

function hitsStep({ from, to }: FaultRecord, { createdAt, updatedAt }: StepFact): boolean {
  return createdAt <= to + NOTICED_WITHIN_MS && updatedAt >= from;
}
