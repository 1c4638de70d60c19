import type { InspectionSource } from "@truerun/worker/mirror/inspect-run";
import { inspectRun } from "@truerun/worker/mirror/inspect-run";
import type { Facts } from "./facts.ts";

/** I4: every run's rows against the projection of its history. */
export async function checkProjection(
  { runs, findings }: Pick<Facts, "runs" | "findings">,
  source: InspectionSource,
  onChecked: () => void,
): Promise<void> {
  for (const runId of runs.keys()) {
    const what = await explain(source, runId);
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
