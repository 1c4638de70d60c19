import { pause } from "@truerun/shared/pause";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import type { InspectionSource } from "@truerun/worker/mirror/inspect-run";
import { inspectRun } from "@truerun/worker/mirror/inspect-run";
import type { Facts } from "./facts.ts";

/** How soon what a dead worker did not write of a run at rest must be restored. */
const EXACT_WITHIN_MS = 35_000;
const LOOK_EVERY_MS = 500;

/** I4: every run's rows against the projection of its history; those of a run at rest have some time. */
export async function checkProjection(
  { runs, findings }: Pick<Facts, "runs" | "findings">,
  source: InspectionSource,
  onChecked: () => void,
): Promise<void> {
  const until = Date.now() + EXACT_WITHIN_MS;
  for (const [runId, { status }] of runs) {
    let what = await explain(source, runId);
    while (what !== null && !isTerminal(status) && Date.now() < until) {
      await pause(LOOK_EVERY_MS);
      what = await explain(source, runId);
    }
    if (what !== null) findings.add({ invariant: "I4", verdict: "diverged", runId, what });
    onChecked();
  }
}

async function explain(source: InspectionSource, runId: string): Promise<string | null> {
  const inspection = await inspectRun(source, runId);
  switch (inspection?.kind) {
    case undefined:
      return "its row is gone";
    case "gone":
      return inspection.rows.isDispatched ? "Temporal does not have it" : null;
    case "moving":
      return "it still moves";
    case "equal":
      return inspection.rows.isConfirmed || inspection.rows.status === "started"
        ? null
        : "its end is not confirmed";
    case "different":
      return inspection.differences
        .map(({ field, table, history, eventId }) => {
          const [said, right] = [JSON.stringify(table), JSON.stringify(history)];
          return `${field} is ${said}, event ${eventId} says ${right}`;
        })
        .join("; ");
  }
}
