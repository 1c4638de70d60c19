import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { toRequestId } from "./request-id.ts";

// Refuses what never reaches the app: Node would answer it without a body or not at all.

/** Code and message by status. */
const REFUSALS = {
  400: ["bad_request", "This is not a valid HTTP request."],
  408: ["request_timeout", "The request did not arrive in time."],
  417: ["expectation_failed", "What the Expect header asks for cannot be met."],
  431: ["headers_too_large", "The request's target and headers are too long."],
  503: ["service_unavailable", "The service has too many connections. Try again shortly."],
} as const satisfies Record<number, readonly [code: string, message: string]>;

type RefusalStatus = keyof typeof REFUSALS;

const CLIENT_ERRORS: ReadonlyMap<string | undefined, RefusalStatus> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

/** How long a caller that was answered may go on sending, or leave its side of the connection open. */
const LINGER_MS = 2_000;

/** Cuts a connection once its caller has had time to read the answer. @returns for `clearTimeout`, to leave it open */
export function cutSoon(socket: Duplex): NodeJS.Timeout {
  return setTimeout(() => socket.destroy(), LINGER_MS);
}

/** For `clientError`: even what is not an HTTP request gets the usual error body. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!(socket instanceof Socket) || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS.get(error.code) ?? 400;
  const { headers, body } = toRefusal(status, undefined);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join("\r\n");
  socket.end(`${head}\r\n\r\n${body}`);
  const cut = cutSoon(socket);
  socket.once("close", () => clearTimeout(cut));
}

/** For a request that Node could parse but the app must not see. */
export function refuseRequest(
  status: RefusalStatus,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): void {
  const { headers, body } = toRefusal(status, req.headers["x-request-id"]);
  res.writeHead(status, headers).end(body);
}

function toRefusal(status: RefusalStatus, requestId: string | string[] | undefined) {
  const [code, message] = REFUSALS[status];
  const body = JSON.stringify({ detail: { code, message } });
  const headers = {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Request-Id": toRequestId(requestId),
    Connection: "close",
    ...(status === 503 ? { "Retry-After": "1" } : {}),
  };
  return { headers, body };
}
