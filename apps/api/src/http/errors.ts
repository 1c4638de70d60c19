import { toFaultList } from "@truerun/shared/contracts/fault-list";
import type { Fault } from "@truerun/shared/contracts/faults";

/**
 * Every code that the app answers with, and what the reference says of it. What never reaches the app is refused in
 * `malformed-request.ts`, with codes of its own.
 */
export const ERRORS = {
  not_authenticated: {
    status: 401,
    explanation: "No `Authorization` header, or not `Bearer`",
  },
  invalid_api_key: {
    status: 401,
    explanation: "The key is unknown, revoked or expired",
  },
  insufficient_scope: {
    status: 403,
    explanation: "The key lacks the scope that is needed",
  },
  not_found: {
    status: 404,
    explanation: "There is nothing at this path",
  },
  workflow_not_found: {
    status: 404,
    explanation: "The org has no workflow definition of this name",
  },
  workflow_run_not_found: {
    status: 404,
    explanation: "The org has no run of this id",
  },
  step_not_found: {
    status: 404,
    explanation: "The run has no such step",
  },
  method_not_allowed: {
    status: 405,
    explanation: "The path exists, the method does not",
  },
  workflow_disabled: {
    status: 409,
    explanation: "The workflow definition is not enabled",
  },
  workflow_run_finished: {
    status: 409,
    explanation: "The run has ended",
  },
  review_not_pending: {
    status: 409,
    explanation: "The step does not wait for a review, or somebody else has answered it",
  },
  payload_too_large: {
    status: 413,
    explanation: "The body, or the input in it, is too large",
  },
  unsupported_media_type: {
    status: 415,
    explanation: "The body is not declared as JSON in UTF-8",
  },
  invalid_request: {
    status: 422,
    explanation: "The request is not valid; every fault is listed",
  },
  rate_limited: {
    status: 429,
    explanation: "The key has made more requests than it may",
  },
  internal_error: {
    status: 500,
    explanation: "A fault of the service; its log has it under the request id",
  },
  workflow_dispatch_failed: {
    status: 502,
    explanation: "The run was created but its start was not taken; retry with its id",
  },
  service_unavailable: {
    status: 503,
    explanation:
      "What the service needs does not answer, or it has more requests than it can serve. Nothing was created, unless the database's answer was lost on its way: with an Idempotency-Key, repeating is safe in any case",
  },
} as const satisfies Record<string, { status: number; explanation: string }>;

export type ErrorCode = keyof typeof ERRORS;

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
    return ERRORS[this.code].status;
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

/** 404: the API has no such path. */
export function notFound(): ApiError {
  return new ApiError("not_found", { message: "There is nothing at this path." });
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

/** What `detail` is in an answer, as published: the message, the list of faults, or `{code, message}`. */
type ErrorShape = "message" | "faults" | "code_and_message";

/** Callers know a 401 by a plain text, and faults by the list; every other error looks the same. */
export function errorShapeOf(code: ErrorCode): ErrorShape {
  if (ERRORS[code].status === 401) return "message";
  return code === "invalid_request" ? "faults" : "code_and_message";
}

/** The body of an error's answer. */
export function toErrorBody({ code, message, faults }: ApiError): { detail: unknown } {
  switch (errorShapeOf(code)) {
    case "message":
      return { detail: message };
    case "faults":
      return { detail: faults.map(({ loc, msg, type }) => ({ loc, msg, type })) };
    case "code_and_message":
      return { detail: { code, message } };
  }
}
