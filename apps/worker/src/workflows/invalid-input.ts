import { durationMs, isDuration, MAX_RUN_TIMEOUT } from "@truerun/shared/contracts/duration";
import type { Json } from "@truerun/shared/contracts/json";
import { ApplicationFailure } from "@temporalio/workflow";

/** The failure of an engine action whose resolved `with` cannot be used. */
export function invalidInput(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`with: ${reason}`, "InvalidInput");
}

/**
 * Asserts that a member of a resolved `with` is a duration.
 *
 * @throws ApplicationFailure naming it when it is none, or longer than any run
 */
export function assertDuration(name: string, value: Json): asserts value is string {
  if (typeof value !== "string" || !isDuration(value)) {
    throw invalidInput(`\`${name}\` is ${JSON.stringify(value)}, which is no duration such as 10m`);
  }
  if (durationMs(value) > durationMs(MAX_RUN_TIMEOUT)) {
    throw invalidInput(`\`${name}\` is over ${MAX_RUN_TIMEOUT}`);
  }
}
