import { isTerminal } from "@truerun/shared/contracts/statuses";
import type { Shape } from "../load/shape.ts";
import { type Facts, type RunRow, type StepFact, toFamily, touchedRuns } from "./facts.ts";
import { groupBy } from "./group-by.ts";

/** I1: each run that a caller was told of has its row, no request made two, and each run was asked for. */
export function checkCallers({ runs, sent, findings }: Facts): void {
  const asked = new Set<string | null>(sent.map(({ item }) => item.id));
  for (const { id: runId, loadId } of runs.values()) {
    if (asked.has(toFamily(loadId))) continue;
    const what = `nobody asked for a run with the input of ${loadId ?? "nothing known"}`;
    findings.add({ invariant: "I1", verdict: "broken", runId, what });
  }
  const rowsOf = groupBy(runs.values(), ({ loadId }) => loadId);
  for (const { item, runId, isAmbiguous } of sent) {
    const rows = rowsOf.get(item.id) ?? [];
    rowsOf.delete(item.id);
    if (runId !== null && !rows.some(({ id }) => id === runId)) {
      const what = `the caller of ${item.id} was given this run, which has no row`;
      findings.add({ invariant: "I1", verdict: "lost", runId, what });
    }
    if (rows.length > 1) {
      const what = `${item.id} has ${rows.length} runs: ${rows.map(({ id }) => id).join(", ")}`;
      findings.add({ invariant: "I1", verdict: "doubled", runId, what });
    }
    if (rows.length === 0 && runId === null && !isAmbiguous) {
      const what = `${item.id} was never started, though it was repeated to the end`;
      findings.add({ invariant: "I1", verdict: "lost", runId: null, what });
    }
  }
}

/** I2: no run was started twice, none that was dispatched is missing, and Temporal runs nothing without a row. */
export function checkChains(facts: Facts): void {
  const { runs, executions, findings } = facts;
  const chains = groupBy(executions, ({ runId }) => runId);
  for (const { id, isDispatched } of runs.values()) {
    const first = new Set(chains.get(id)?.map(({ firstTemporalRunId }) => firstTemporalRunId));
    if (first.size > 1) {
      const what = `Temporal started it ${first.size} times: ${[...first].join(", ")}`;
      findings.add({ invariant: "I2", verdict: "doubled", runId: id, what });
    }
    if (isDispatched && first.size === 0) {
      const what = "it was dispatched, but Temporal has no such workflow";
      findings.add({ invariant: "I2", verdict: "lost", runId: id, what });
    }
  }
  for (const runId of chains.keys()) {
    if (runs.has(runId)) continue;
    findings.add({
      invariant: "I2",
      verdict: "lost",
      runId,
      what: "Temporal runs it without a row",
    });
  }
}

/** I5: one record for each step key, and a final one in a run that has ended. */
export function checkRecords({ runs, steps, findings }: Facts): void {
  const seen = new Set<string>();
  for (const { runId, key, status } of steps) {
    const place = `${runId} ${key}`;
    if (seen.has(place)) {
      const what = `step ${key} has two records`;
      findings.add({ invariant: "I5", verdict: "doubled", runId, what });
    }
    seen.add(place);
    if (status === null && isTerminal(runs.get(runId)?.status ?? "started")) {
      const what = `it has ended, and step ${key} is still open`;
      findings.add({ invariant: "I5", verdict: "diverged", runId, what });
    }
  }
}

/** END: a run that no operator touched ends, or rests, as its shape says, with exactly its shape's steps. */
export function checkEnds(facts: Facts): void {
  const touched = touchedRuns(facts);
  const stepsOf = groupBy(facts.steps, ({ runId }) => runId);
  for (const row of facts.runs.values()) {
    const shape = facts.shapes.get(row.workflowName);
    if (shape === undefined || touched.has(row.id)) continue;
    // One that should have ended is found by I3.
    if (!isTerminal(row.status) && isTerminal(shape.ends)) continue;
    const wanted = { status: shape.ends, steps: shape.steps };
    const steps = stepsOf.get(row.id) ?? [];
    const found = { status: row.status, steps: toStatuses(steps) };
    if (isAsSaid(shape, row.status, steps)) continue;
    const what = `${row.workflowName}: it should be ${JSON.stringify(wanted)}, but is ${JSON.stringify(found)}`;
    facts.findings.add({ invariant: "END", verdict: "diverged", runId: row.id, what });
  }
}

function toStatuses(steps: readonly StepFact[]): Record<string, StepFact["status"]> {
  return Object.fromEntries(steps.map(({ key, status }) => [key, status]));
}

/** Whether a run's status and steps are those that its shape says. */
export function isAsSaid(
  shape: Pick<Shape, "ends" | "steps">,
  status: RunRow["status"],
  steps: readonly StepFact[],
): boolean {
  const found = toStatuses(steps);
  const keys = Object.keys(shape.steps);
  return (
    shape.ends === status &&
    keys.length === Object.keys(found).length &&
    keys.every((key) => key in found && shape.steps[key] === found[key])
  );
}
