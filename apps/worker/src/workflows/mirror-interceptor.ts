// (5) Sees every step's recording, every outcome and the run's end, and hands them to the mirror.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import { ACTION_PATTERN } from "@truerun/shared/engine/engine-actions";
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  patched,
  TemporalFailure,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from "@temporalio/workflow";
import type { LocalAttempt } from "../local-attempt.ts";
import { toFailure, toSuccess } from "./activity-outcome.ts";
import { createBatchRecorder, isBatchRequested, runBatch } from "./batch.ts";
import { haveCompany, isExternal, isRunWorkflow } from "./external-check-turns.ts";
import { FAILURE_TYPES } from "./failure-types.ts";
import { interpretRun } from "./interpret-run.ts";
import { LocalTurns } from "./local-turns.ts";
import { CHECKS_TAKE_TURNS, CHILD_RUNS_TAKE_TURNS } from "./patches.ts";
import { type RunError, StepRecorder } from "./step-recorder.ts";

/** Loaded by the worker into every workflow execution; each has its own recorder. */
export function interceptors(): WorkflowInterceptors {
  let recorder: StepRecorder | undefined;
  let turns: LocalTurns | undefined;
  return {
    inbound: [
      {
        // The interpreter is called here and not through `next`: the SDK would look the workflow type
        // up among the module's exports, where a name such as `constructor` finds an inherited method.
        async execute({ args }) {
          const [argument] = args;
          if (isBatchRequested(argument)) {
            const batch = createBatchRecorder(argument);
            recorder = batch;
            turns = toTurns([argument.data.component]);
            return await runBatch(argument, batch);
          }
          const event = assertRunRequested(argument);
          const { workflow_run_id: workflowRunId, definition } = event.data;
          const own = new StepRecorder({ workflowRunId, components: definition.components });
          recorder = own;
          turns = toTurns(definition.components);
          return await recordEnd(own, () => interpretRun(event, own));
        },
      },
    ],
    outbound: [
      {
        async scheduleActivity(input, next) {
          const { activityId: key, taskQueue } = input.options;
          // What runs on another team's worker records itself, once its result is checked.
          const isExternal = taskQueue !== undefined;
          if (recorder === undefined || key === undefined || isExternal) return await next(input);
          recorder.open(key);
          try {
            const result = await next(input);
            recorder.close(key, toSuccess(result));
            return result;
          } catch (error) {
            recorder.close(key, toFailure(error, recorder.cancelReasonOf(key)));
            throw error;
          }
        },
        async scheduleLocalActivity(input, next) {
          const counted = countResults(next, recorder);
          if (turns === undefined) return await counted(input);
          return await turns.take(() => runLocalAttempt(input, counted, recorder));
        },
      },
    ],
  };
}

type ScheduleLocalActivity = NonNullable<WorkflowOutboundCallsInterceptor["scheduleLocalActivity"]>;

/** Counts beside the result, not before it: what waits for it must not go on later than it always did. */
function countResults(
  next: Parameters<ScheduleLocalActivity>[1],
  recorder: StepRecorder | undefined,
): (input: Parameters<ScheduleLocalActivity>[0]) => Promise<unknown> {
  return (input) => {
    const result = next(input);
    const count = (): void => recorder?.countMarker();
    result.then(count, count);
    return result;
  };
}

/** Runs an attempt that has its turn: the first one of a step opens the step. */
async function runLocalAttempt(
  input: Parameters<ScheduleLocalActivity>[0],
  next: (input: Parameters<ScheduleLocalActivity>[0]) => Promise<unknown>,
  recorder: StepRecorder | undefined,
): Promise<unknown> {
  const key = toStepKey(input);
  // What is canceled while it waits for its turn has no step.
  const isOver = CancellationScope.current().consideredCancelled;
  if (key !== undefined && input.attempt === 1 && !isOver) recorder?.open(key, { isLocal: true });
  const task = workflowInfo().historyLength;
  try {
    return await next(input);
  } finally {
    // The task was renewed during the attempt, as happens when a worker is held up.
    if (workflowInfo().historyLength !== task) recorder?.distrust();
  }
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

/** The step that an attempt inside the workflow task is for; the engine's own helpers have none. */
function toStepKey({
  activityType,
  args,
}: Parameters<ScheduleLocalActivity>[0]): string | undefined {
  if (!ACTION_PATTERN.test(activityType)) return undefined;
  const [, attempt] = args as [unknown, LocalAttempt | undefined];
  return attempt?.step_key;
}

async function recordEnd<T>(recorder: StepRecorder, run: () => Promise<T>): Promise<T> {
  try {
    const result = await run();
    recorder.end("completed", { code: null, message: null });
    return result;
  } catch (error) {
    // Anything but a Temporal failure only fails the workflow task: the run has not ended.
    if (isCancellation(error)) {
      recorder.end("canceled", { code: "workflow_canceled", message: recorder.cancelReason });
    } else if (error instanceof TemporalFailure) {
      recorder.end("failed", toRunError(error));
    }
    throw error;
  }
}

function toRunError(error: TemporalFailure): RunError {
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  const code = type === FAILURE_TYPES.component_failed ? "component_failed" : "workflow_failed";
  return { code, message: error.message };
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
