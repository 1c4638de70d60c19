import { toFaultList } from "./contracts/fault-list.ts";
import type { Fault } from "./contracts/faults.ts";

/** Every code that an error can have, and the HTTP status that goes with it. */
export const ERROR_STATUSES = {
  not_authenticated: 401,
  invalid_api_key: 401,
  insufficient_scope: 403,
  not_found: 404,
  workflow_not_found: 404,
  workflow_run_not_found: 404,
  step_not_found: 404,
  method_not_allowed: 405,
  workflow_disabled: 409,
  workflow_run_finished: 409,
  review_not_pending: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  rate_limited: 429,
  internal_error: 500,
  workflow_dispatch_failed: 502,
  service_unavailable: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUSES;

interface ApiErrorOptions {
  /** For the caller: one sentence that reveals no internals. */
  message: string;
  /** Headers of the answer. */
  headers?: Readonly<Record<string, string>>;
  /** For a 422: every fault of the request. */
  faults?: readonly Fault[];
  /** For the log: what really happened. Never leaves the process. */
  cause?: unknown;
  /** Whether it gets no log line: there are too many of its kind, and something else counts them. */
  isCounted?: boolean;
}

/** An answer other than success: `message`, `headers` and `faults` are public, `cause` is for the log. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly faults: readonly Fault[];
  readonly isCounted: boolean;

  constructor(code: ErrorCode, options: ApiErrorOptions) {
    super(options.message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.headers = options.headers ?? {};
    this.faults = options.faults ?? [];
    this.isCounted = options.isCounted ?? false;
  }

  get status(): number {
    return ERROR_STATUSES[this.code];
  }
}

const CHALLENGE = { "WWW-Authenticate": "Bearer" };

/** 401: there is no credential to check. */
export function notAuthenticated(): ApiError {
  return new ApiError("not_authenticated", { message: "Not authenticated", headers: CHALLENGE });
}

/** 401: malformed, unknown, revoked or expired; the caller is not told which. */
export function invalidApiKey(): ApiError {
  const message = "Invalid or expired API key.";
  return new ApiError("invalid_api_key", { message, headers: CHALLENGE });
}

/** 404, the same whether the definition is missing or another org's. */
export function workflowNotFound(name: string): ApiError {
  return new ApiError("workflow_not_found", { message: `Workflow '${name}' not found.` });
}

/** 404, the same whether the run is missing or another org's. */
export function workflowRunNotFound(): ApiError {
  return new ApiError("workflow_run_not_found", { message: "Workflow run not found." });
}

/** 404: the run has no step of that id. */
export function stepNotFound(): ApiError {
  return new ApiError("step_not_found", { message: "Step not found." });
}

/** 409: the run has ended, so nothing about it can be changed. */
export function workflowRunFinished(): ApiError {
  return new ApiError("workflow_run_finished", { message: "Workflow run has already finished." });
}

/** 409: the step does not wait for a review, or no longer does. */
export function reviewNotPending(): ApiError {
  return new ApiError("review_not_pending", {
    message: "The step is not waiting for a review.",
  });
}

/** 422 with every fault of the request, up to the limits of `FaultList`. */
export function invalidRequest(faults: readonly Fault[]): ApiError {
  const listed = toFaultList(faults).toAnswer();
  return new ApiError("invalid_request", { message: "The request is not valid.", faults: listed });
}

/** 413: the body, or the start event that it would make, is too large; the message says which. */
export function payloadTooLarge(message: string): ApiError {
  return new ApiError("payload_too_large", { message });
}

/** 429: the key has made more requests than it may; one more is possible after `waitMs`. */
export function rateLimited(waitMs: number): ApiError {
  return new ApiError("rate_limited", {
    message: "Too many requests with this API key. Try again shortly.",
    headers: { "Retry-After": String(Math.ceil(waitMs / 1_000)) },
  });
}

/** 503: something that the service needs does not answer. Nothing was created, unless its answer was lost on its way. */
export function serviceUnavailable(cause: unknown): ApiError {
  return new ApiError("service_unavailable", {
    message: "The service is unavailable for the moment. Try again shortly.",
    headers: { "Retry-After": "1" },
    cause,
  });
}

/** Refused callers are told to come back after a random time of at most this many seconds. */
const MAX_RETRY_AFTER = 3;

/** 503: the gateway has more to do than it can; nothing was begun. */
export function overloaded(): ApiError {
  return new ApiError("service_unavailable", {
    message: "The service has more requests than it can serve at the moment. Try again shortly.",
    headers: { "Retry-After": String(1 + Math.floor(Math.random() * MAX_RETRY_AFTER)) },
    isCounted: true,
  });
}

/**
 * The body of an error's answer, as published: a plain string for a 401, the list of faults for a 422,
 * `{code, message}` for all others.
 */
export function toErrorBody(error: ApiError): { detail: unknown } {
  switch (error.code) {
    case "not_authenticated":
    case "invalid_api_key":
      return { detail: error.message };
    case "invalid_request":
      return { detail: error.faults.map(({ loc, msg, type }) => ({ loc, msg, type })) };
    case "insufficient_scope":
    case "not_found":
    case "workflow_not_found":
    case "workflow_run_not_found":
    case "method_not_allowed":
    case "workflow_disabled":
    case "workflow_run_finished":
    case "step_not_found":
    case "review_not_pending":
    case "payload_too_large":
    case "unsupported_media_type":
    case "rate_limited":
    case "internal_error":
    case "workflow_dispatch_failed":
    case "service_unavailable":
      return { detail: { code: error.code, message: error.message } };
  }
}
