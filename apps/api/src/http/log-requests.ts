import type { IncomingMessage, ServerResponse } from "node:http";
import { hideApiKeys } from "@truerun/shared/api-keys";
import type { Logger } from "@truerun/shared/logger";
import type { RequestHandler, Response } from "express";
import { pinoHttp } from "pino-http";
import { isCounted } from "./error-handler.ts";
import { toRequestId } from "./request-id.ts";

/** Gives every request its id, its answer the header with it, and the log one line with both. */
export function logRequests(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId(req: IncomingMessage, res: ServerResponse) {
      const id = toRequestId(req.headers["x-request-id"]);
      res.setHeader("X-Request-Id", id);
      return id;
    },
    // Probes would drown everything else.
    autoLogging: { ignore: (req) => req.url === "/healthz" || req.url === "/readyz" },
    quietReqLogger: true,
    customAttributeKeys: { reqId: "requestId" },
    customLogLevel: (_req, res, error) => {
      if (isCounted(res)) return "silent";
      if (res.statusCode >= 500 || error !== undefined) return "error";
      return "info";
    },
    customProps: (_req, res) => ({ ...(res as Response).locals }),
    serializers: {
      req: ({ method, url }: { method: string; url: string }) => ({
        method,
        url: hideApiKeys(url),
      }),
      res: (res: { statusCode: number }) => ({ statusCode: res.statusCode }),
    },
  });
}
