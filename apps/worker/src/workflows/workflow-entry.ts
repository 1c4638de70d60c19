// (3) Where every execution begins, whatever its workflow type: a run, or a batch of one.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import { ApplicationFailure, patched, type WorkflowInterceptors } from "@temporalio/workflow";
import { createBatchRecorder, isBatchRequested, runBatch } from "./batch.ts";
import { haveCompany, isExternal, isRunWorkflow } from "./external-check-turns.ts";
import { interpretRun } from "./interpret-run.ts";
import { LocalTurns } from "./local-turns.ts";
import { createMirrorInterceptor, recordEnd, type Recording } from "./mirror-interceptor.ts";
import { CHECKS_TAKE_TURNS, CHILD_RUNS_TAKE_TURNS } from "./patches.ts";
import { StepRecorder } from "./step-recorder.ts";

/** Loaded by the worker into every workflow execution; each has its own recorder. */
export function interceptors(): WorkflowInterceptors {
  const recording: Recording = { recorder: undefined, turns: undefined };
  return {
    inbound: [
      {
        // The interpreter is called here and not through `next`: the SDK would look the workflow type
        // up among the module's exports, where a name such as `constructor` finds an inherited method.
        async execute({ args }) {
          const [argument] = args;
          if (isBatchRequested(argument)) {
            const batch = createBatchRecorder(argument);
            recording.recorder = batch;
            recording.turns = toTurns([argument.data.component]);
            return await runBatch(argument, batch);
          }
          const event = assertRunRequested(argument);
          const { workflow_run_id: workflowRunId, definition } = event.data;
          const own = new StepRecorder({ workflowRunId, components: definition.components });
          recording.recorder = own;
          recording.turns = toTurns(definition.components);
          return await recordEnd(own, () => interpretRun(event, own));
        },
      },
    ],
    outbound: [createMirrorInterceptor(recording)],
  };
}

/** Undefined where nothing takes turns, as in histories from before anything did. Asked once, as a run begins. */
function toTurns(components: readonly ComponentDefinition[]): LocalTurns | undefined {
  const takesTurns =
    components.some(({ execution }) => execution === "local") ||
    (haveCompany(components) &&
      ((components.some(isRunWorkflow) && patched(CHILD_RUNS_TAKE_TURNS)) ||
        (components.some(isExternal) && patched(CHECKS_TAKE_TURNS))));
  return takesTurns ? new LocalTurns() : undefined;
}

/** Any other argument fails the run; with an error of another kind its task would be tried again for ever. */
function assertRunRequested(argument: unknown): RunRequestedEvent {
  const event = argument as DeepPartial<RunRequestedEvent> | null | undefined;
  const count = event?.data?.definition?.components?.length ?? 0;
  if (event?.event_type === "Workflow.RunRequested" && count > 0) {
    return event as RunRequestedEvent;
  }
  throw ApplicationFailure.nonRetryable(
    "The argument is not a Workflow.RunRequested event. Start runs through the API.",
    "InvalidEvent",
  );
}

type DeepPartial<T> = { [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };
