// The actions that the engine does itself, without an activity.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { durationMs, isDuration, MAX_RUN_TIMEOUT } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { EngineAction } from "@truerun/shared/engine/engine-actions";
import { ApplicationFailure, sleep } from "@temporalio/workflow";
import { toFailure } from "./activity-outcome.ts";
import { engineOutcome, type StepOutcome, type StepRecorder } from "./step-recorder.ts";

/** Does one of the engine's own actions, and records its step. Never rejects. */
export async function runEngineAction(
  { key }: Pick<ComponentDefinition, "key">,
  { action, input, summary }: { action: EngineAction; input: JsonObject; summary: string },
  recorder: StepRecorder,
): Promise<StepOutcome> {
  recorder.open(key);
  const outcome = await perform(action, input, summary).catch((error: unknown) =>
    toFailure(error, recorder.cancelReason),
  );
  recorder.close(key, outcome);
  return outcome;
}

async function perform(
  action: EngineAction,
  input: JsonObject,
  summary: string,
): Promise<StepOutcome> {
  switch (action) {
    case "wait": {
      const ms = toWaitMs(input);
      // The timer's name in Temporal Web UI.
      if (ms > 0) await sleep(ms, { summary });
      return { ...engineOutcome("success", null), output: {} };
    }
    case "fail": {
      const { message } = input;
      const text = typeof message === "string" ? message : JSON.stringify(message);
      return engineOutcome(
        "failed",
        text === "" ? "The run was ended by the action `fail`." : text,
      );
    }
  }
}

/**
 * How long to wait. What a reference resolved to could not be checked when the definition was saved.
 *
 * @throws ApplicationFailure naming what is wrong
 */
function toWaitMs({ duration, until, ...others }: JsonObject): number {
  const isOne = (duration === undefined) !== (until === undefined);
  if (!isOne || Object.keys(others).length > 0) {
    throw invalid("either `duration` or `until` is needed, and nothing else");
  }
  const longest = durationMs(MAX_RUN_TIMEOUT);
  if (duration !== undefined) {
    if (typeof duration !== "string" || !isDuration(duration)) {
      throw invalid(
        `\`duration\` is ${JSON.stringify(duration)}, which is no duration such as 10m`,
      );
    }
    if (durationMs(duration) > longest) throw invalid(`\`duration\` is over ${MAX_RUN_TIMEOUT}`);
    return durationMs(duration);
  }
  if (typeof until !== "number" || !Number.isSafeInteger(until)) {
    throw invalid(`\`until\` is ${JSON.stringify(until)}, which is no unix time in seconds`);
  }
  const ms = until * 1_000 - Date.now();
  if (ms > longest) throw invalid(`\`until\` is more than ${MAX_RUN_TIMEOUT} away`);
  return Math.max(0, ms);
}

function invalid(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`with: ${reason}`, "InvalidInput");
}
