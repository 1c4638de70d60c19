// (5) Sees every step's recording, every outcome and the run's end, and hands them to the mirror.
import { ACTION_PATTERN } from "@truerun/shared/engine/engine-actions";
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TemporalFailure,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from "@temporalio/workflow";
import type { LocalAttempt } from "../local-attempt.ts";
import { toFailure, toSuccess } from "./activity-outcome.ts";
import { FAILURE_TYPES } from "./failure-types.ts";
import type { LocalTurns } from "./local-turns.ts";
import type { RunError, StepRecorder } from "./step-recorder.ts";

/** What an execution records with. Undefined until its entry has seen its argument. */
export interface Recording {
  recorder: StepRecorder | undefined;
  /** Undefined as well where nothing takes turns. */
  turns: LocalTurns | undefined;
}

/** Records what an execution calls. */
export function createMirrorInterceptor(
  recording: Readonly<Recording>,
): WorkflowOutboundCallsInterceptor {
  return {
    async scheduleActivity(input, next) {
      const { recorder } = recording;
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
      const { recorder, turns } = recording;
      const counted = countResults(next, recorder);
      if (turns === undefined) return await counted(input);
      return await turns.take(() => runLocalAttempt(input, counted, recorder));
    },
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

/** The step that an attempt inside the workflow task is for; the engine's own helpers have none. */
function toStepKey({
  activityType,
  args,
}: Parameters<ScheduleLocalActivity>[0]): string | undefined {
  if (!ACTION_PATTERN.test(activityType)) return undefined;
  const [, attempt] = args as [unknown, LocalAttempt | undefined];
  return attempt?.step_key;
}

/** Runs an execution and records how it ends. */
export async function recordEnd<T>(recorder: StepRecorder, run: () => Promise<T>): Promise<T> {
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
