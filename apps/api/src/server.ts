import http from "node:http";
import net from "node:net";
import { listen } from "@truerun/shared/listen";
import { Counter, type Registry } from "@truerun/shared/metrics";
import { createApp } from "./app.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { toExpressClasses } from "./http/express-classes.ts";
import { cutSoon, refuseConnection, refuseRequest } from "./http/malformed-request.ts";

/** How long a caller's headers may take; never longer than the whole request may. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often requests are checked for these timeouts; Node's default is every 30 s. */
const TIMEOUT_CHECKS_MS = 1_000;
/** Node silently drops headers beyond a limit of its own, even the credential; here the request gets 431. */
const MAX_HEADERS = 100;
/** Longer than load balancers keep idle connections, so that they close them first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** While draining, how long callers may still send on kept-alive connections; the answer closes them. */
const LAST_REQUESTS_MS = 250;
/** How many connections beyond those served get 503; any further ones are cut. */
const TOLD_CONNECTIONS = 1_000;
/** Health probes must be answered on any connection. */
const PROBES = new Set(["/healthz", "/readyz"]);

export interface ApiServer {
  /** @returns the port, which differs from the requested one when that is 0. @throws ConfigurationError */
  listen(port: number, host: string): Promise<number>;
  /** Stops accepting connections; resolves when the requests under way are answered, or cut after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}

/**
 * The gateway's HTTP server: the app, behind what has to be refused or cut before a request gets there. Takes no
 * connection until `listen` is called.
 */
export function createServer(dependencies: ApiDependencies): ApiServer {
  const app = createApp(dependencies);
  const { REQUEST_TIMEOUT_MS: requestTimeoutMs, MAX_CONNECTIONS: maxConnections } =
    dependencies.config;
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
      // Node's own refusal has neither body nor request id; `serve` refuses instead.
      requireHostHeader: false,
    },
    serve,
  );
  const excess = watchConnections(server, maxConnections, dependencies.registry);
  server.on("connection", (socket: net.Socket) => {
    // After Node's own listeners: it closes the answer that is being sent, and none that wait behind it.
    socket.once("close", () => setImmediate(() => closeAnswersTo(socket, open)));
  });
  server.on("clientError", refuseConnection);
  // The app sends "100 Continue" when it wants the body, after checking the credential.
  server.on("checkContinue", serve);
  server.on("checkExpectation", (req, res) => refuseRequest(417, { req, res }));
  return {
    listen: (port, host) => listen(server, { host, port, variable: "PORT" }),
    async drain(withinMs) {
      draining = true;
      // Tells callers not to send another request on a connection that is about to be closed.
      for (const res of open) if (!res.headersSent) res.shouldKeepAlive = false;
      await closeGently(server, withinMs);
    },
  };
}

function closeAnswersTo(socket: net.Socket, open: ReadonlySet<http.ServerResponse>): void {
  for (const res of open) {
    if (res.req.socket !== socket) continue;
    res.destroy();
    res.emit("close");
  }
}

/** @returns the connections that came while `most` were already open */
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

/** A request target as path and query, whatever its form: `http://host/path`, `*`. */
function toOriginForm(target: string): string {
  const relative = target.replace(/^https?:\/\/[^/?]*/i, "");
  return relative.startsWith("/") ? relative : `/${relative}`;
}

/** An unwanted body is read and discarded, so that its sender sees the answer; but not for long. */
function cutLateBody(req: http.IncomingMessage): void {
  if (req.complete) return;
  const cut = cutSoon(req.socket);
  req.once("close", () => clearTimeout(cut));
}

async function closeGently(server: http.Server, withinMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // http.Server's own close() cuts idle connections at once, and with them requests already on their way.
    net.Server.prototype.close.call(server, () => resolve());
  });
  // Only after what has already arrived has been read: such a connection is no longer idle.
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
