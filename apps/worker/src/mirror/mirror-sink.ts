import type { InjectedSinks } from "@temporalio/worker";
import type { MirrorSinks } from "./mirror-record.ts";
import type { WorkflowTaskSlots } from "../workflow-task-slots.ts";
import type { MirrorWriter } from "./mirror-writer.ts";
import type { ReopenedSteps } from "./reopened-steps.ts";

export interface MirrorSinkOptions {
  writer: Pick<MirrorWriter, "write" | "writeSoon">;
  slots: Pick<WorkflowTaskSlots, "began" | "recorded">;
  reopened: Pick<ReopenedSteps, "hasRun">;
}

/** Events in the history when the first workflow task began: the start, and the task's own two. */
const FIRST_TASK = 3;

/**
 * Where the interceptor's records leave the sandbox. The SDK awaits the function after an activation and
 * before it sends the task's commands, so a step's row can be read before its component starts, and its
 * outcome before the next begins; inside a workflow task, a moment later. Nothing is written during replay:
 * those rows were written before, or the reconciler writes them.
 */
export function createMirrorSink({
  writer,
  slots,
  reopened,
}: MirrorSinkOptions): InjectedSinks<MirrorSinks> {
  return {
    mirror: {
      write: {
        fn: async ({ runId, startTime, historyLength }, record, mayWait = false) => {
          if (historyLength === FIRST_TASK) {
            slots.began(record.mirror_time_ms - startTime.getTime());
          }
          slots.recorded(runId, record.kind === "end");
          if (mayWait && !reopened.hasRun(record.run_id)) writer.writeSoon(record);
          else await writer.write(record);
        },
        callDuringReplay: false,
      },
    },
  };
}
