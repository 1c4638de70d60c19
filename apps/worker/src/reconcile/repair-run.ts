import type { Logger } from "@truerun/shared/logger";
import { type Inspection, type InspectionSource, inspectRun } from "../mirror/inspect-run.ts";
import type { Projection } from "../mirror/project-history.ts";
import type { RunRows } from "../mirror/run-rows.ts";
import { endAbandonedBatches } from "../mirror/end-abandoned-batches.ts";
import { writeProjection } from "../mirror/write-projection.ts";
import { endLeftChildren } from "./end-left-children.ts";
import { settleLateWrites } from "./late-writes.ts";
import type { Failures } from "./for-each-run.ts";
import type { RepairKind, WorkerMetrics } from "../worker-metrics.ts";

export interface RepairOptions extends InspectionSource {
  logger: Logger;
  metrics: Pick<WorkerMetrics, "repaired">;
}

/** What the reconciler's loops share. */
export interface ReconcileOptions extends RepairOptions {
  metrics: Pick<WorkerMetrics, "repaired" | "stuckRuns" | "undispatched">;
  failures: Failures;
}

/**
 * Makes a run's rows equal to its history, if they are not, and confirms its end, if Temporal has closed it.
 *
 * @returns what was found before; null when there is no such run
 * @throws as {@link inspectRun}
 */
export async function repairRun(
  options: RepairOptions,
  workflowRunId: string,
): Promise<Inspection | null> {
  // First: a closed run is compared only once its batches are closed, too.
  await endLeftChildren(options.client, workflowRunId);
  const found = await inspectRun(options, workflowRunId);
  if (found?.kind !== "different" && found?.kind !== "equal") return found;
  const { rows, projection } = found;
  const isUnconfirmed = projection.end !== null && !rows.isConfirmed;
  if (found.kind === "equal" && !isUnconfirmed) return found;
  const kind = toKind(rows, projection);
  // First: a run whose rows are right is not looked at again.
  if (kind === "reset") await endAbandonedBatches(options.client, projection);
  if (!(await writeProjection(options.db, projection, rows))) return found;
  if (projection.end !== null) await settleLateWrites(options.db, projection);
  if (found.kind === "equal") return found;
  options.metrics.repaired(kind);
  const fields = found.differences.slice(0, 5).map(({ field }) => field);
  const { temporalRunId } = projection;
  options.logger.info({ workflowRunId, temporalRunId, kind, fields }, "run repaired");
  return found;
}

function toKind(rows: RunRows, { temporalRunId, end }: Projection): RepairKind {
  if (rows.temporalRunId !== null && rows.temporalRunId !== temporalRunId) return "reset";
  return end === null ? "open" : "closed";
}
