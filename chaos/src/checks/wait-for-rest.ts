import { setTimeout as pause } from "node:timers/promises";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import { readRuns, type RunRow } from "./facts.ts";
import type { Findings } from "./findings.ts";

const TERMINAL_WITHIN_MS = 60_000;
/** Temporal's visibility, a dead leader's replacement, and repairs. */
const CONFIRMED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

/** I3: waits until every run is terminal and then until its end is confirmed; gives what is there then. */
export async function waitForRest(
  db: Database,
  options: { lastFaultAt: number; findings: Findings; onLook: (open: number) => void },
): Promise<Map<string, RunRow>> {
  const { lastFaultAt, findings, onLook } = options;
  const look = async (isDone: (row: RunRow) => boolean, until: number): Promise<RunRow[]> => {
    for (;;) {
      const open = [...(await readRuns(db)).values()].filter((row) => !isDone(row));
      onLook(open.length);
      if (open.length === 0 || Date.now() > until) return open;
      await pause(LOOK_EVERY_MS);
    }
  };
  const isEnded = ({ status }: RunRow): boolean => isTerminal(status);
  for (const row of await look(isEnded, lastFaultAt + TERMINAL_WITHIN_MS)) {
    const what = `${row.workflowName}: still ${row.status} (dispatched: ${row.isDispatched})`;
    findings.add({ invariant: "I3", verdict: "lost", runId: row.id, what });
  }
  await look((row) => row.confirmedAt !== null, Date.now() + CONFIRMED_WITHIN_MS);
  return await readRuns(db);
}
