import { DURATION_BUCKETS, Histogram, type Registry } from "@truerun/shared/metrics";
import type { RequestHandler } from "express";

/** Measures the duration of every request, by operation and status. */
export function measureRequests(registry: Registry): RequestHandler {
  const durations = new Histogram({
    name: "truerun_http_request_duration_seconds",
    help: "Requests by operation and status; operation none: no endpoint; status none: the caller hung up",
    labelNames: ["operation", "status"],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  return (_req, res, next) => {
    const startedAt = performance.now();
    res.once("close", () => {
      const operation: unknown = res.locals["operation"];
      const labels = {
        operation: typeof operation === "string" ? operation : "none",
        status: res.writableFinished ? String(res.statusCode) : "none",
      };
      durations.observe(labels, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}
