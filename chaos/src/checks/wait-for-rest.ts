import { pause } from "@truerun/shared/pause";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import type { Shape } from "../load/shape.ts";
import { isAsSaid } from "./check-rows.ts";
import { readRuns, readSteps, type RunRow } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { groupBy } from "./group-by.ts";

const TERMINAL_WITHIN_MS = 60_000;
/** Covers Temporal's visibility, a dead leader's replacement, and repairs. */
const CONFIRMED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

export interface RestOptions {
  lastFaultAt: number;
  shapes: ReadonlyMap<string, Shape>;
  findings: Findings;
  onLook: (open: number) => void;
}

/**
 * I3: waits until every run is terminal, or at rest where its shape never ends, and then until each end is
 * confirmed.
 *
 * @returns all runs as they are then
 */
export async function waitForRest(
  db: Database,
  options: RestOptions,
): Promise<Map<string, RunRow>> {
  const { lastFaultAt, findings, onLook } = options;
  const look = async (
    isDone: (row: RunRow, resting: ReadonlySet<string>) => boolean,
    until: number,
  ): Promise<RunRow[]> => {
    for (;;) {
      const rows = [...(await readRuns(db)).values()];
      const resting = await findResting(db, rows, options.shapes);
      const open = rows.filter((row) => !isDone(row, resting));
      onLook(open.length);
      if (open.length === 0 || Date.now() > until) return open;
      await pause(LOOK_EVERY_MS);
    }
  };
  for (const row of await look(
    ({ id, status }, resting) => isTerminal(status) || resting.has(id),
    lastFaultAt + TERMINAL_WITHIN_MS,
  )) {
    const what = `${row.workflowName}: still ${row.status} (dispatched: ${row.isDispatched})`;
    findings.add({ invariant: "I3", verdict: "lost", runId: row.id, what });
  }
  await look(
    ({ id, confirmedAt }, resting) => confirmedAt !== null || resting.has(id),
    Date.now() + CONFIRMED_WITHIN_MS,
  );
  return await readRuns(db);
}

/** Runs of never-ending shapes that have reached their shape's steps. */
async function findResting(
  db: Database,
  rows: readonly RunRow[],
  shapes: RestOptions["shapes"],
): Promise<Set<string>> {
  const resting = new Set<string>();
  for (const shape of shapes.values()) {
    if (isTerminal(shape.ends)) continue;
    const stepsOf = groupBy(await readSteps(db, shape.name), ({ runId }) => runId);
    for (const { id, status, workflowName } of rows) {
      if (workflowName !== shape.name || !isAsSaid(shape, status, stepsOf.get(id) ?? [])) continue;
      resting.add(id);
    }
  }
  return resting;
}
