// Runs that Temporal does not know any more.
import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { interruptedEnd, interruptSteps } from "../mirror/interrupt-run.ts";
import type { StepRow } from "../mirror/mirror-record.ts";
import type { RunRows } from "../mirror/run-rows.ts";
import { sumSteps } from "../mirror/step-digest.ts";
import { writeProjection } from "../mirror/write-projection.ts";

const MESSAGE = "Temporal does not have the run's execution any more: it was deleted.";

/**
 * Ends a run whose execution is gone: an open one as `failed`, with its open steps. A terminal one stays as
 * it is, and is confirmed: nothing can contradict it any more.
 *
 * @returns false when the row has moved on since it was read
 */
export async function endLostRun(db: Database, rows: RunRows): Promise<boolean> {
  const { workflowRunId, temporalRunId, generation, mirrorLength } = rows;
  if (rows.status !== "started") {
    const confirmed = await db.workflowRun.updateMany({
      where: { id: workflowRunId, generation, status: rows.status, confirmedAt: null },
      data: { confirmedAt: new Date() },
    });
    return confirmed.count > 0;
  }
  const timeMs = Date.now();
  const recorded: StepRow[] = rows.steps
    .filter((step) => step.generation === generation)
    .map((step) => ({ kind: "step", ...step }));
  const steps = interruptSteps(recorded, MESSAGE, { timeMs });
  const projection = {
    workflowRunId,
    temporalRunId,
    historyLength: 0,
    steps,
    end: {
      ...interruptedEnd(
        { code: "execution_lost", message: MESSAGE },
        { timeMs, length: mirrorLength },
      ),
      run_id: workflowRunId,
      temporal_run_id: temporalRunId ?? "",
      completed_at_ms: timeMs,
      ...sumSteps(steps),
    },
  };
  return await writeProjection(db, projection, rows);
}

/**
 * Since when Temporal's namespace has been known here. A namespace that was recreated, or is another server's,
 * does not know the runs that were dispatched before, which says nothing about them. The first one ever seen is
 * assumed to have always been in use.
 *
 * @throws when the namespace cannot be described
 */
export async function findNamespaceSince(db: Database, client: Client): Promise<Date> {
  const { namespaceInfo } = await client.workflowService.describeNamespace({
    namespace: client.options.namespace,
  });
  const name = `${NAMESPACE}${namespaceInfo?.id ?? ""}`;
  const known = await db.reconcilerCursor.findMany({ where: { name: { startsWith: NAMESPACE } } });
  const position = known.length === 0 ? new Date(0) : new Date();
  await db.reconcilerCursor.createMany({ data: [{ name, position }], skipDuplicates: true });
  return known.find((cursor) => cursor.name === name)?.position ?? position;
}

const NAMESPACE = "namespace ";
