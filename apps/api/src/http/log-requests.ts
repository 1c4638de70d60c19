import { hideApiKeys } from "@truerun/shared/api-keys";
import type { Logger } from "@truerun/shared/logger";
import type { Request, RequestHandler, Response } from "express";
import { isCounted } from "./error-handler.ts";
import { REQUEST_ID, requestIdOf, toRequestId } from "./request-id.ts";

/** Probes would drown out everything else. */
const UNLOGGED = new Set(["/healthz", "/readyz"]);

/**
 * Gives every request an id, returns it in a header, and logs one line per request. Replaces pino-http, whose
 * work per request, above all creating a logger, took longer than everything except the database.
 */
export function logRequests(logger: Logger): RequestHandler {
  return (req, res, next) => {
    res.setHeader(REQUEST_ID, toRequestId(req.headers["x-request-id"]));
    if (!UNLOGGED.has(req.url)) {
      const startedAt = Date.now();
      res.once("close", () => logAnswer(logger, { req, res, startedAt }));
    }
    next();
  };
}

interface Exchange {
  req: Request;
  res: Response;
  /** Unix milliseconds. */
  startedAt: number;
}

function logAnswer(logger: Logger, { req, res, startedAt }: Exchange): void {
  if (isCounted(res)) return;
  const { method, url } = req;
  const { statusCode } = res;
  const line = {
    requestId: requestIdOf(res),
    req: { method, url: hideApiKeys(url) },
    ...res.locals,
    res: { statusCode },
    responseTime: Date.now() - startedAt,
  };
  if (statusCode >= 500) logger.error(line, "request errored");
  else logger.info(line, res.writableEnded ? "request completed" : "request aborted");
}
