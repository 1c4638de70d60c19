// The actions that the engine does itself, without an activity.
import { durationMs, MAX_RUN_TIMEOUT } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { EngineAction } from "@truerun/shared/engine/engine-actions";
import { clipMessage } from "@truerun/shared/storable-text";
import { sleep } from "@temporalio/workflow";
import { toFailure } from "./activity-outcome.ts";
import { assertDuration, invalidInput } from "./invalid-input.ts";
import { runChildRunStep } from "./child-run-step.ts";
import { type Step, type StepContext, summaryOf } from "./step.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";
import { waitForReview } from "./wait-for-review.ts";

/** Does one of the engine's own actions, and records its step. Never rejects. */
export async function runEngineAction(
  step: Step,
  action: EngineAction,
  context: StepContext,
): Promise<StepOutcome> {
  const { recorder } = context;
  recorder.open(step.key);
  const ended = await ACTIONS[action](step, context).catch((error: unknown) =>
    toFailure(error, recorder.cancelReasonOf(step.key)),
  );
  const { message } = ended;
  const outcome = { ...ended, message: message && clipMessage(message) };
  recorder.close(step.key, outcome);
  return outcome;
}

/** An action of the engine. It rejects with a Temporal failure when the step fails. */
export type PerformAction = (step: Step, context: StepContext) => Promise<StepOutcome>;

const ACTIONS: Readonly<Record<EngineAction, PerformAction>> = {
  fail,
  run_workflow: runChildRunStep,
  wait,
  wait_for_review: waitForReview,
};

async function wait(step: Step): Promise<StepOutcome> {
  const ms = toWaitMs(step.input);
  if (ms > 0) await sleep(ms, { summary: summaryOf(step) });
  return { ...engineOutcome("success", null), output: {} };
}

async function fail({ input: { message } }: Step): Promise<StepOutcome> {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  return engineOutcome("failed", text === "" ? "The run was ended by the action `fail`." : text);
}

/**
 * How long to wait. What a reference resolved to could not be checked when the definition was saved.
 *
 * @throws ApplicationFailure naming what is wrong
 */
function toWaitMs({ duration, until, ...others }: JsonObject): number {
  const isOne = (duration === undefined) !== (until === undefined);
  if (!isOne || Object.keys(others).length > 0) {
    throw invalidInput("either `duration` or `until` is needed, and nothing else");
  }
  if (duration !== undefined) {
    assertDuration("duration", duration);
    return durationMs(duration);
  }
  if (typeof until !== "number" || !Number.isSafeInteger(until)) {
    throw invalidInput(`\`until\` is ${JSON.stringify(until)}, which is no unix time in seconds`);
  }
  const ms = until * 1_000 - Date.now();
  if (ms > durationMs(MAX_RUN_TIMEOUT))
    throw invalidInput(`\`until\` is more than ${MAX_RUN_TIMEOUT} away`);
  return Math.max(0, ms);
}
