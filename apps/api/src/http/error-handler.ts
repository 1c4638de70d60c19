import type { ServerResponse } from "node:http";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import type { ErrorRequestHandler } from "express";
import { ApiError, serviceUnavailable, toErrorBody } from "./errors.ts";
import { requestIdOf } from "./request-id.ts";

const counted = new WeakSet<ServerResponse>();

/** Whether a request gets no log line: there are too many of its kind, and a metric counts them instead. */
export function isCounted(res: ServerResponse): boolean {
  return counted.has(res);
}

/** Answers whatever the app throws. What really happened goes to the log. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters.
  return (thrown: unknown, _req, res, _next) => {
    const error = toApiError(thrown);
    if (error.isCounted) counted.add(res);
    else if (error.status >= 500) {
      logger.error({ requestId: requestIdOf(res), err: error.cause ?? error }, error.message);
    }
    if (res.headersSent) {
      // Half an answer is worse than none: the caller sees the connection break.
      res.destroy();
      return;
    }
    res.status(error.status).set(error.headers).json(toErrorBody(error));
  };
}

function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (isDatabaseUnavailable(thrown)) return serviceUnavailable(thrown);
  const message = "The request could not be served because of an internal error.";
  return new ApiError("internal_error", { message, cause: thrown });
}
