// The action `wait_for_review`: a person decides, through the API.
import { durationMs, MAX_RUN_TIMEOUT } from "@truerun/shared/contracts/duration";
import type { Json, JsonObject } from "@truerun/shared/contracts/json";
import { ON_TIMEOUT, type OnTimeout, type ReviewDecision } from "@truerun/shared/contracts/review";
import { ApplicationFailure } from "@temporalio/workflow";
import { assertDuration, invalidInput } from "./invalid-input.ts";
import { type Step, type StepContext, summaryOf } from "./step.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

interface ReviewRequest {
  prompt: string;
  timeout: string;
  onTimeout: OnTimeout;
}

/**
 * Waits for the answer. A decision is a success, whichever it is.
 *
 * @throws ApplicationFailure when its time is over and `on_timeout` is `fail`
 */
export async function waitForReview(
  step: Step,
  { reviews, recorder }: StepContext,
): Promise<StepOutcome> {
  const { prompt, timeout, onTimeout } = toRequest(step.input);
  recorder.showPrompt(step.key, prompt);
  const timer = { ms: durationMs(timeout), summary: summaryOf(step, prompt) };
  const answer = await reviews.wait(step.key, timer);
  if (answer !== null) return decided(answer);
  if (onTimeout !== "fail") return decided({ decision: onTimeout });
  throw ApplicationFailure.nonRetryable(
    `Nobody answered the review within ${timeout}.`,
    "ReviewTimedOut",
  );
}

function decided(answer: {
  decision: ReviewDecision;
  comment?: string | null;
  decided_by?: string | null;
}): StepOutcome {
  const { decision, comment = null, decided_by = null } = answer;
  const output = { decision, comment, decided_by, decided_at: Math.floor(Date.now() / 1_000) };
  return { ...engineOutcome("success", null), output };
}

/**
 * The `with`. What a reference resolved to could not be checked when the definition was saved.
 *
 * @throws ApplicationFailure naming what is wrong
 */
function toRequest(input: JsonObject): ReviewRequest {
  const {
    prompt = "",
    // Its default is the longest that any run may take.
    timeout = MAX_RUN_TIMEOUT,
    on_timeout: onTimeout = "fail",
    ...unknown
  } = input;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw invalidInput(`\`${name}\` is not known`);
  if (typeof prompt !== "string") {
    throw invalidInput(`\`prompt\` is ${JSON.stringify(prompt)}, which is no text`);
  }
  assertDuration("timeout", timeout);
  if (!isOnTimeout(onTimeout)) {
    const choices = ON_TIMEOUT.join(", ");
    throw invalidInput(`\`on_timeout\` is ${JSON.stringify(onTimeout)}, not one of ${choices}`);
  }
  return { prompt, timeout, onTimeout };
}

function isOnTimeout(value: Json): value is OnTimeout {
  return (ON_TIMEOUT as readonly Json[]).includes(value);
}
