// The action `run_workflow`: another workflow of the same org, as a run of its own below this one.
import { isJsonObject, type Json, type JsonObject } from "@truerun/shared/contracts/json";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import type { Artifact, RunStatus } from "@truerun/shared/contracts/statuses";
import type { DispatchableRun } from "@truerun/shared/dispatch/run-requested";
import { toStartOptions } from "@truerun/shared/dispatch/start-options";
import { CREATE_CHILD_RUN } from "@truerun/shared/engine/engine-actions";
import { RUN_TIMED_OUT_MESSAGE, runTerminatedMessage } from "@truerun/shared/run-end-messages";
import { childRunId } from "@truerun/shared/step-id";
import { clipUtf8, utf8Bytes } from "@truerun/shared/storable-text";
import {
  ActivityCancellationType,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  ParentClosePolicy,
  proxyLocalActivities,
  startChild,
  TerminatedFailure,
  TimeoutFailure,
  uuid4,
  workflowInfo,
  WorkflowIdReusePolicy,
} from "@temporalio/workflow";
import type { ChildRun, ChildRunRequest } from "../dispatch/create-child-run.ts";
import { toFailure } from "./activity-outcome.ts";
import { invalidInput } from "./invalid-input.ts";
import { runChild } from "./run-child.ts";
import { type Step, type StepContext, summaryOf } from "./step.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

/** More than a definition's document takes: its largest form, with every default filled in. */
const MAX_DOCUMENT_BYTES = 448 * 1024;

interface Request {
  workflowName: string;
  input: JsonObject;
  wait: boolean;
}

/**
 * Starts the child run and waits for its end, unless told not to.
 *
 * @throws TemporalFailure when no child run was made; once one is, the outcome tells what became of it
 */
export async function runChildRunStep(step: Step, context: StepContext): Promise<StepOutcome> {
  const request = toRequest(step.input);
  return await context.budget.whilePending(async () => {
    const run = await createRun(step, request, context);
    const artifacts: Artifact[] = [
      { artifact_type: "workflow_run", id: run.workflowRunId, role: "result" },
    ];
    context.recorder.note(step.key, artifacts);
    context.children++;
    const outcome = await (request.wait ? runToItsEnd : letRun)(run, context)
      .catch((error: unknown) => {
        return toChildFailure(error, run, context.recorder.cancelReasonOf(step.key));
      })
      .finally(() => context.children--);
    return { ...outcome, artifacts };
  });
}

/** Makes the child's row. */
async function createRun(
  step: Step,
  { workflowName, input }: Request,
  { run: parent, recorder, budget }: StepContext,
): Promise<DispatchableRun> {
  // Drawn before anything is waited for, so that as little as possible can differ between a first and a second
  // try of the same workflow task.
  const id = newChildRunId(step.key);
  const correct = await budget.reserve(MAX_DOCUMENT_BYTES);
  const local = proxyLocalActivities<{
    [CREATE_CHILD_RUN]: (request: ChildRunRequest) => Promise<ChildRun>;
  }>({
    summary: summaryOf(step),
    // An attempt has to end before its workflow task is renewed (at 8 of its 10 s), and pauses have to be spent
    // in timers: what follows a renewed task has another time live than in a replay.
    startToCloseTimeout: "6s",
    localRetryThreshold: 1,
    // For as long as Postgres is away.
    retry: { initialInterval: "500ms", backoffCoefficient: 2, maximumInterval: "10s" },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
  const made = await local[CREATE_CHILD_RUN]({
    child_run_id: id,
    workflow_name: workflowName,
    input,
    parent,
    parent_temporal_run_id: recorder.temporalRunId,
  });
  correct(utf8Bytes(JSON.stringify(made)));
  return { ...made, input };
}

/**
 * A new id. A workflow task that is tried again makes the same one; after a reset to a point before it, the
 * id is another. The time in it is the run's, because the task's would be another at every try.
 */
function newChildRunId(stepKey: string): string {
  return childRunId(workflowInfo().startTime.getTime(), `${uuid4()} ${stepKey}`);
}

async function runToItsEnd(run: DispatchableRun, context: StepContext): Promise<StepOutcome> {
  if (context.takesOverChildRuns) {
    const options = await toChildOptions(run, context, ParentClosePolicy.REQUEST_CANCEL);
    await runChild({ workflowType: run.workflowName, options }, context);
  } else {
    const child = await start(run, context, ParentClosePolicy.REQUEST_CANCEL);
    await child.result();
  }
  return toOutcome(run, "completed");
}

async function letRun(run: DispatchableRun, context: StepContext): Promise<StepOutcome> {
  // A start that is on its way is not taken back: it stays, whatever becomes of this run.
  await CancellationScope.nonCancellable(() => start(run, context, ParentClosePolicy.ABANDON));
  return toOutcome(run, "started");
}

async function start(run: DispatchableRun, context: StepContext, policy: ParentClosePolicy) {
  const options = await toChildOptions(run, context, policy);
  return await startChild<StartedRun>(run.workflowName, options);
}

type StartedRun = (event: RunRequestedEvent) => Promise<unknown>;

/** Waits until there is room for the start. */
async function toChildOptions(
  run: DispatchableRun,
  context: StepContext,
  policy: ParentClosePolicy,
) {
  const options = toStartOptions(run);
  const bytes = utf8Bytes(JSON.stringify(options.args));
  await context.budget.reserve(bytes);
  return {
    ...options,
    parentClosePolicy: policy,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
  };
}

function toOutcome({ workflowRunId }: DispatchableRun, status: RunStatus): StepOutcome {
  const output = { workflow_run_id: workflowRunId, status };
  return { ...engineOutcome("success", null), output };
}

/** The outcome of a step whose child run did not complete. */
function toChildFailure(error: unknown, run: DispatchableRun, cancelReason: string): StepOutcome {
  if (!(error instanceof ChildWorkflowFailure)) return toFailure(error, cancelReason);
  const { cause } = error;
  const isCanceled = cause instanceof CancelledFailure;
  if (isCanceled && CancellationScope.current().consideredCancelled) {
    return toFailure(cause, cancelReason);
  }
  const told = isCanceled ? "was canceled." : `failed: ${toReason(cause)}`;
  return engineOutcome("failed", `The run ${run.workflowRunId} of '${run.workflowName}' ${told}`);
}

/** As the child's own row says it. */
function toReason(cause: Error | undefined): string {
  if (cause instanceof TerminatedFailure) return runTerminatedMessage();
  if (cause instanceof TimeoutFailure) return RUN_TIMED_OUT_MESSAGE;
  return cause?.message ?? "";
}

/**
 * What is asked for. What a reference resolved to could not be checked when the definition was saved.
 *
 * @throws ApplicationFailure naming what is wrong
 */
function toRequest({
  workflow_name: name,
  input = {},
  wait = true,
  ...others
}: JsonObject): Request {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalidInput(`\`${unknown}\` is not known`);
  if (typeof name !== "string" || name === "")
    throw invalidInput(explain("workflow_name", name, "name"));
  if (!isJsonObject(input)) throw invalidInput(explain("input", input, "object"));
  if (typeof wait !== "boolean") throw invalidInput(explain("wait", wait, "boolean"));
  return { workflowName: name, input, wait };
}

const MAX_SHOWN_BYTES = 200;

function explain(key: string, value: Json | undefined, wanted: string): string {
  const shown = clipUtf8(JSON.stringify(value) ?? "missing", MAX_SHOWN_BYTES);
  return `\`${key}\` is ${shown}, which is no ${wanted}`;
}
