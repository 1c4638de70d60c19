import type { WorkflowExecutionDescription } from "@temporalio/client";
import type { Logger } from "@truerun/shared/logger";
import { STUCK_FROM_ATTEMPT } from "@truerun/shared/stuck-run";
import type { WorkerMetrics } from "../worker-metrics.ts";

/** Keeps track of the open runs whose workflow task fails again and again. */
export interface StuckRuns {
  readonly ids: readonly string[];
  beginRound(): void;
  see(workflowRunId: string, execution: WorkflowExecutionDescription): void;
  /** A run that was not seen in the round has ended, or goes on. */
  endRound(): void;
}

/** Logs each run once when it is stuck, and once when it no longer is. */
export function createStuckRuns({
  logger,
  metrics,
}: {
  logger: Logger;
  metrics: Pick<WorkerMetrics, "stuckRuns">;
}): StuckRuns {
  const stuck = new Set<string>();
  const seen = new Set<string>();

  function free(workflowRunId: string): void {
    if (stuck.delete(workflowRunId))
      logger.info({ workflowRunId }, "the run is not stuck any more");
  }

  return {
    get ids() {
      return [...stuck];
    },
    beginRound() {
      seen.clear();
    },
    see(workflowRunId, { raw }) {
      seen.add(workflowRunId);
      const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
      if (attempt < STUCK_FROM_ATTEMPT) {
        free(workflowRunId);
      } else if (!stuck.has(workflowRunId)) {
        stuck.add(workflowRunId);
        const message =
          "the run is stuck: its workflow task fails again and again; its history says why";
        logger.error({ workflowRunId, attempt }, message);
      }
      metrics.stuckRuns(stuck.size);
    },
    endRound() {
      for (const id of stuck) if (!seen.has(id)) free(id);
      metrics.stuckRuns(stuck.size);
    },
  };
}
