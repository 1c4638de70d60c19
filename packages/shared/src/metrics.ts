// Metrics in Prometheus' text form, on a port of their own.
import http from "node:http";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { listen } from "./listen.ts";
import type { Logger } from "./logger.ts";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Buckets in seconds, for what takes a millisecond when all is well and half a minute when it is not. */
export const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export interface MetricsServer {
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  /** Of the process; see `listenEnv`. */
  config: { HOST: string; METRICS_PORT?: number | undefined };
  registry: Registry;
  logger: Logger;
}

/**
 * Serves the registry, including Node's metrics of the process, at `GET /metrics` on `METRICS_PORT`, if that
 * is set.
 *
 * @throws ConfigurationError naming the variables when it cannot listen
 */
export async function serveMetricsIfWanted(
  options: MetricsServerOptions,
): Promise<MetricsServer | null> {
  const { HOST: host, METRICS_PORT: port } = options.config;
  return port === undefined ? null : await serveMetrics(options, host, port);
}

async function serveMetrics(
  { registry, logger }: MetricsServerOptions,
  host: string,
  port: number,
): Promise<MetricsServer> {
  collectDefaultMetrics({ register: registry });
  const server = http.createServer((req, res) => {
    if (req.method !== "GET" || req.url !== "/metrics") {
      res.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => res.writeHead(200, { "Content-Type": registry.contentType }).end(text),
      (error: unknown) => {
        logger.error({ err: error }, "the metrics cannot be read");
        res.writeHead(500).end();
      },
    );
  });
  const taken = await listen(server, { host, port, variable: "METRICS_PORT" });
  logger.info({ host, port: taken }, "serving metrics");
  return {
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
