import http from "node:http";
import net from "node:net";
import { listen } from "@truerun/shared/listen";
import { Counter, type Registry } from "@truerun/shared/metrics";
import { createApp } from "./app.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { toExpressClasses } from "./http/express-classes.ts";
import { refuseConnection, refuseRequest } from "./http/malformed-request.ts";

/** A caller that dribbles its headers is not waited for longer than this, nor longer than for the whole. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often callers are looked for that take longer; by default it would be every 30 s. */
const TIMEOUT_CHECKS_MS = 1_000;
/** Node drops what is beyond its own limit, be it the credential; here it is told. */
const MAX_HEADERS = 100;
/** How long a caller that was answered may go on to send its body. */
const LINGER_MS = 2_000;
/** Longer than load balancers keep idle connections, so that they close them, not we. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** While draining, callers that still send on kept connections get an answer that closes it. */
const LAST_REQUESTS_MS = 250;
/** Beyond the connections that are served: so many more are told 503, the rest is cut. */
const TOLD_CONNECTIONS = 1_000;
/** What says that a process is alive has to be answered on any connection. */
const PROBES = new Set(["/healthz", "/readyz"]);

export interface ApiServer {
  /** @returns the port, which differs from the wanted one when that is 0. @throws ConfigurationError */
  listen(port: number, host: string): Promise<number>;
  /** Accepts no more connections and resolves when the requests under way are answered, or cut at the bound. */
  drain(withinMs: number): Promise<void>;
}

export function createServer(dependencies: ApiDependencies): ApiServer {
  const app = createApp(dependencies);
  const { requestTimeoutMs, maxConnections } = dependencies.settings;
  let draining = false;
  const open = new Set<http.ServerResponse>();

  function serve(req: http.IncomingMessage, res: http.ServerResponse): void {
    open.add(res);
    res.once("close", () => open.delete(res));
    res.once("finish", () => cutLateBody(req));
    if (draining) res.shouldKeepAlive = false;
    if (req.httpVersion === "1.1" && req.headers.host === undefined) {
      refuseRequest(400, { req, res });
    } else if (req.rawHeaders.length > 2 * MAX_HEADERS) {
      refuseRequest(431, { req, res });
    } else if (excess.has(req.socket) && !PROBES.has(req.url ?? "")) {
      refuseRequest(503, { req, res });
    } else {
      req.url = toOriginForm(req.url ?? "/");
      app(req, res);
    }
  }

  const server = http.createServer(
    {
      ...toExpressClasses(app),
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECKS_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Node's own refusal has neither body nor request id; ours comes below.
      requireHostHeader: false,
    },
    serve,
  );
  const excess = watchConnections(server, maxConnections, dependencies.registry);
  server.on("clientError", refuseConnection);
  // The app says "continue" when it wants the body, which is after it has looked at the credential.
  server.on("checkContinue", serve);
  server.on("checkExpectation", (req, res) => refuseRequest(417, { req, res }));
  return {
    listen: (port, host) => listen(server, { host, port, variable: "PORT" }),
    async drain(withinMs) {
      draining = true;
      // Told so, no caller sends another request on a connection that is about to be closed.
      for (const res of open) if (!res.headersSent) res.shouldKeepAlive = false;
      await closeGently(server, withinMs);
    },
  };
}

/** @returns those that came while there were `most` already */
function watchConnections(
  server: http.Server,
  most: number,
  registry: Registry,
): WeakSet<net.Socket> {
  const excess = new WeakSet<net.Socket>();
  const refused = new Counter({
    name: "truerun_http_excess_connections_total",
    help: "Connections over MAX_CONNECTIONS: their requests are told 503, or they are cut",
    registers: [registry],
  });
  let count = 0;
  server.maxConnections = most + TOLD_CONNECTIONS;
  server.on("connection", (socket: net.Socket) => {
    count += 1;
    if (count > most) {
      excess.add(socket);
      refused.inc();
    }
    socket.once("close", () => {
      count -= 1;
    });
  });
  server.on("drop", () => refused.inc());
  return excess;
}

/** A request target as path and query, whatever form it came in: `http://host/path`, `*`. */
function toOriginForm(target: string): string {
  const relative = target.replace(/^https?:\/\/[^/?]*/i, "");
  return relative.startsWith("/") ? relative : `/${relative}`;
}

/** A body that nobody wanted is read and thrown away, so that its sender sees the answer; but not for long. */
function cutLateBody(req: http.IncomingMessage): void {
  if (req.complete) return;
  const cut = setTimeout(() => req.socket.destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(cut));
}

async function closeGently(server: http.Server, withinMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // http.Server's own close() cuts idle connections at once, and with them requests on their way.
    net.Server.prototype.close.call(server, () => resolve());
  });
  // After what has already arrived was read: such a connection is not idle any more.
  const closeIdle = () => setImmediate(() => server.closeIdleConnections());
  let interval: NodeJS.Timeout | undefined;
  const gentle = setTimeout(() => {
    closeIdle();
    interval = setInterval(closeIdle, 50);
  }, LAST_REQUESTS_MS);
  const cut = setTimeout(() => server.closeAllConnections(), withinMs);
  await closed;
  clearTimeout(gentle);
  clearInterval(interval);
  clearTimeout(cut);
}
