import type { FaultRecord } from "../faults/fault-record.ts";
import { isLinkFault, isPartFault } from "../plan/fault.ts";
import { countAttempts } from "./count-attempts.ts";
import { type Execution, type Facts, runsReachedBy, type StepFact, touchedRuns } from "./facts.ts";
import { groupBy } from "./group-by.ts";

/** A lost attempt is noticed by its heartbeats, and repeated after a pause. */
const NOTICED_WITHIN_MS = 15_000;

const UNKNOWN = Number.POSITIVE_INFINITY;

/**
 * I6: the ledger against the steps' records.
 *
 * @returns how many steps no fault could hit; those are held to an exact number of executions
 */
export async function checkEffects(facts: Facts): Promise<number> {
  const { runs, steps, shapes, executionsOf, findings } = facts;
  const touched = touchedRuns(facts);
  const reset = runsReachedBy("reset", facts);
  const told = new Set(steps.map(({ runId, key }) => `${runId}:${key}`));
  const attempts = await countAttempts(facts.client, facts.executions, reset);
  const hits = facts.faults.filter(hitsComponents);
  const beginnings = groupBy(facts.executions, ({ runId }) => runId);
  let undisturbed = 0;
  for (const step of steps) {
    const shape = shapes.get(runs.get(step.runId)?.workflowName ?? "");
    const clean = shape?.effects[step.key];
    if (clean === undefined) continue;
    const executions = executionsOf.get(`${step.runId}:${step.key}`) ?? [];
    // A lost task is done again as a whole: its steps' records are those of the task that was accepted.
    const isLocal = shape?.local?.includes(step.key) === true;
    const since = isLocal ? beginningOf(beginnings.get(step.runId)) : step.createdAt;
    const hitting = hits.filter((fault) => hitsStep(fault, { ...step, createdAt: since }));
    const isUndisturbed = !touched.has(step.runId) && hitting.length === 0;
    if (isUndisturbed) undisturbed += 1;
    // A history that a reset abandoned says nothing about lost tasks.
    const isReset = reset.has(step.runId);
    const lost = isLocal ? (isReset ? UNKNOWN : countLostTasks(hitting)) : 0;
    const limits = {
      least: step.status === "success" ? 1 : 0,
      most: lost + (isReset ? attempts(step.runId, step.key) : (step.attempt ?? UNKNOWN)),
      ...(isUndisturbed && step.status !== null ? { least: clean, most: clean } : {}),
    };
    if (executions.length >= limits.least && executions.length <= limits.most) continue;
    const verdict = executions.length < limits.least ? "lost" : "doubled";
    const what = `step ${step.key} (${step.status}, attempt ${step.attempt}) was done ${executions.length} times, not ${limits.least} to ${limits.most}`;
    findings.add({ invariant: "I6", verdict, runId: step.runId, what });
  }
  const terminated = runsReachedBy("terminate", facts);
  for (const key of executionsOf.keys()) {
    const [runId = "", stepKey = ""] = key.split(":");
    if (told.has(key) || reset.has(runId)) continue;
    // No history has what was done inside of a workflow task during which its run was terminated.
    const isLocal =
      shapes.get(runs.get(runId)?.workflowName ?? "")?.local?.includes(stepKey) === true;
    if (isLocal && terminated.has(runId)) continue;
    const what = `${key} was done, and no step records it`;
    findings.add({ invariant: "I6", verdict: "diverged", runId, what });
  }
  return undisturbed;
}

/**
 * Whether a fault can make a component run again: one that separates a worker from Temporal can. Whatever
 * happens to Postgres or gateways cannot, nor can asking a worker to end.
 */
function hitsComponents({ fault }: FaultRecord): boolean {
  if (isPartFault(fault)) {
    if (fault.target === "temporal") return true;
    return fault.target.startsWith("worker") && fault.kind !== "restart";
  }
  return isLinkFault(fault) && /^worker.*temporal$/.test(fault.target);
}

function beginningOf(executions: readonly Execution[] = []): number {
  return Math.min(...executions.map(({ startedAt }) => startedAt));
}

/** Temporal takes a workflow task from a worker silent for this long, and what was begun of it is lost. */
const TASK_TIMEOUT_MS = 10_000;

/** How many workflow tasks the faults can have cost a run. */
function countLostTasks(faults: readonly FaultRecord[]): number {
  return faults.reduce(
    (sum, { from, to }) => sum + 1 + Math.floor((to - from) / TASK_TIMEOUT_MS),
    0,
  );
}

function hitsStep({ from, to }: FaultRecord, { createdAt, updatedAt }: StepFact): boolean {
  return createdAt <= to + NOTICED_WITHIN_MS && updatedAt >= from;
}
