// A step whose component another team's worker serves, in whatever language.
import { type Json, MAX_RESULT_NESTING, nestsDeeper } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import { clipMessage } from "@truerun/shared/storable-text";
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  proxyLocalActivities,
} from "@temporalio/workflow";
import type { ExternalChecks } from "../external/check-external.ts";
import { toFailure } from "./activity-outcome.ts";
import { executeActivity } from "./execute-activity.ts";
import type { ExternalCheckTurns } from "./external-check-turns.ts";
import { UnreadablePayload } from "./payload-converter.ts";
import type { Step, StepContext } from "./step.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

/** How the SDKs of Python, .NET and Ruby, of Go, and of Java say that they have no such activity. */
const UNKNOWN_ACTIVITY =
  / is not registered (on this|with a) worker|^unable to find activityType=/i;

/**
 * Runs a step on another team's worker, and records it: the interceptor, which records all other activities,
 * would see the outcome before it is checked.
 *
 * @throws CancelledFailure when it is canceled before it began
 */
export async function runExternalStep(
  step: Step,
  { recorder, budget, checks }: StepContext,
): Promise<StepOutcome> {
  return await budget.whilePending(async () => {
    recorder.open(step.key);
    // Where the checks take no turns, a replay may deliver their results some milliseconds earlier or later; where
    // they do, nothing has shown yet that it never does.
    recorder.distrust();
    const outcome = await execute(step, checks).catch((error: unknown) =>
      toExternalFailure(error, recorder.cancelReasonOf(step.key)),
    );
    recorder.close(step.key, outcome);
    return outcome;
  });
}

/** Only the result comes back from the attempt that gave it, so number and times of attempts stay unknown. */
async function execute(step: Step, checks: ExternalCheckTurns): Promise<StepOutcome> {
  const { action } = step.component;
  const check = proxyLocalActivities<ExternalChecks>({
    // As of the local activity that makes a child run's row, in `child-run-step.ts`.
    startToCloseTimeout: "6s",
    // Without turns, pauses stay in the task: where some checks fail and others do not, a replay would start timers
    // and activities in another order.
    ...(checks.areTaken ? { localRetryThreshold: 1 } : {}),
    // For as long as Postgres is away: the component may have succeeded by then.
    retry: { initialInterval: "500ms", backoffCoefficient: 2, maximumInterval: "30s" },
    summary: `Check of ${step.key}`,
  });
  await checks.take(() => check["check-external-input"](action, step.input));
  const result = readable(await executeActivity<unknown>(step));
  // The work has been done, even if the step is canceled at this moment.
  await CancellationScope.nonCancellable(() =>
    checks.take(() => check["check-external-result"](action, result)),
  );
  const { output, artifacts } = result as { output: Json; artifacts?: Artifact[] | null };
  return { ...engineOutcome("success", null), output, artifacts: artifacts ?? [] };
}

function readable(result: unknown): unknown {
  if (result instanceof UnreadablePayload) {
    throw invalid(`The component's result is no JSON: ${result.reason}`);
  }
  if (nestsDeeper(result, MAX_RESULT_NESTING)) {
    throw invalid(`The component's result nests deeper than ${MAX_RESULT_NESTING} levels`);
  }
  return result;
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, "InvalidOutput");
}

function toExternalFailure(error: unknown, cancelReason: string): StepOutcome {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const known = cause instanceof ApplicationFailure ? explain(cause) : null;
  const message = known ?? toFailure(error, cancelReason).message ?? "";
  return engineOutcome("failed", clipMessage(message));
}

/** Explains what the other worker's SDK says itself; null for what its component said. */
function explain({ message, type }: ApplicationFailure): string | null {
  if (UNKNOWN_ACTIVITY.test(message)) {
    return "The worker on the action's task queue does not know the action.";
  }
  return type === "PayloadsTooLarge"
    ? "The component's result is larger than Temporal takes."
    : null;
}
