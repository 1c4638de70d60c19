import type { InjectedSinks } from "@temporalio/worker";
import type { MirrorSinks } from "./mirror-record.ts";
import type { WorkflowTaskSlots } from "../workflow-task-slots.ts";
import type { MirrorWriter } from "./mirror-writer.ts";

/**
 * Where the interceptor's records leave the sandbox. The SDK awaits the function after an activation
 * and before it sends the task's commands: a step's row is readable before its component starts, and
 * its outcome before the next begins. During replay nothing is written: those rows were, or the
 * reconciler writes them.
 */
export function createMirrorSink(
  writer: MirrorWriter,
  slots: Pick<WorkflowTaskSlots, "recorded">,
): InjectedSinks<MirrorSinks> {
  return {
    mirror: {
      write: {
        fn: async ({ runId }, record) => {
          slots.recorded(runId, record.kind === "end");
          await writer.write(record);
        },
        callDuringReplay: false,
      },
    },
  };
}
