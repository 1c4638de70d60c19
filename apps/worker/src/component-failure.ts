import { ApplicationFailure } from "@temporalio/common";

/** What an attempt's failure tells the workflow in its details. Times are unix milliseconds. */
export interface AttemptTimes {
  attempt: number;
  started_at_ms: number;
  finished_at_ms: number;
}

/** A run's history and the step's message hold the whole failure, so it must stay small. */
const MAX_MESSAGE = 2_000;
const MAX_STACK = 1_500;
const MAX_TYPE = 255;
const MAX_CAUSES = 5;

/**
 * Turns whatever a component threw, undefined and hostile objects included, into one failure. An
 * `ApplicationFailure` keeps its type and retryability. Causes go into the message and are not
 * attached: the SDK follows circular ones without end.
 */
export function toComponentFailure(thrown: unknown, times: AttemptTimes): ApplicationFailure {
  const known = thrown instanceof ApplicationFailure ? thrown : null;
  const message = attempt(() => describe(thrown)) ?? "The component threw something unreadable";
  const type = known?.type ?? (thrown instanceof Error ? attempt(() => thrown.name) : null);
  const failure = ApplicationFailure.create({
    message: clip(message, MAX_MESSAGE),
    type: clip(typeof type === "string" && type !== "" ? type : "Error", MAX_TYPE),
    nonRetryable: known?.nonRetryable === true,
    details: [times],
    ...(known?.nextRetryDelay == null ? {} : { nextRetryDelay: known.nextRetryDelay }),
    ...(known?.category == null ? {} : { category: known.category }),
  });
  const stack = thrown instanceof Error ? attempt(() => thrown.stack) : null;
  failure.stack = typeof stack === "string" ? clip(stack, MAX_STACK) : "";
  return failure;
}

/** What was thrown, or an error in place of a proxy that cannot even be asked what it is. */
export function toReadable(thrown: unknown): unknown {
  return attempt(() => thrown instanceof Error) === null
    ? new Error("The component threw something unreadable")
    : thrown;
}

/** Null if `read` throws, as a getter may. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function describe(thrown: unknown): string {
  if (thrown instanceof ApplicationFailure) return thrown.message || (thrown.type ?? "It failed");
  if (thrown instanceof Error) return describeCauses(thrown);
  if (typeof thrown === "string" && thrown.trim() !== "") return thrown;
  if (typeof thrown === "object" && thrown !== null) {
    const text = attempt(() => JSON.stringify(thrown));
    return `The component threw ${text ?? "an object"}`;
  }
  return `The component threw ${String(thrown) || "an empty text"}`;
}

/** The messages of an error and its causes: `fetch failed: connect ECONNREFUSED 127.0.0.1:9`. */
function describeCauses(error: Error): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth += 1) {
    const here: unknown = current;
    const text = here instanceof Error ? attempt(() => describeOne(here)) : String(here);
    // An error that wraps another often repeats its message.
    if (text !== null && !parts.some((part) => part.includes(text))) parts.push(text);
    current = here instanceof Error ? attempt(() => here.cause) : null;
  }
  return parts.join(": ") || "The component threw an unreadable error";
}

function describeOne(error: Error): string {
  const own = String(error.message);
  if (own !== "") return own;
  if (error instanceof AggregateError) {
    return error.errors
      .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
      .join("; ");
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return code || error.name;
}

/** A lone surrogate would make the failure's message to Temporal unreadable, so it becomes U+FFFD. */
function clip(text: string, max: number): string {
  const clipped = text.length <= max ? text : `${text.slice(0, max - 1)}…`;
  return clipped.replace(/\p{Surrogate}/gu, "\uFFFD");
}
