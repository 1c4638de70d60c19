import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";

/** The header that carries a request's id, in requests and answers. */
export const REQUEST_ID = "X-Request-Id";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** The caller's own request id if it is acceptable, else a new one. */
export function toRequestId(header: string | string[] | undefined): string {
  return typeof header === "string" && VISIBLE_ASCII.test(header) ? header : randomUUID();
}

/** The id assigned to a request, read from its answer. */
export function requestIdOf(res: ServerResponse): string {
  return String(res.getHeader(REQUEST_ID));
}
