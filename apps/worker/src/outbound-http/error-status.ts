import { ApplicationFailure } from "@temporalio/common";
import type { OutboundResponse } from "./outbound-request.ts";

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);
const SNIPPET_LENGTH = 300;
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Throws for a status of 400 or more. 408, 425, 429 and 5xx are retryable, after `Retry-After` if the server
 * names one; other 4xx are not. The message shows how the answer begins, and the URL without its query.
 *
 * @throws `ApplicationFailure` of type `HttpStatus`
 */
export function assertNoErrorStatus(
  request: { method: string; url: string },
  response: OutboundResponse,
): void {
  const { status, headers } = response;
  if (status < 400) return;
  const { origin, pathname } = new URL(request.url);
  const snippet = response.body.toString("utf8").replaceAll(/\s+/g, " ").trim();
  const shown = snippet.length > SNIPPET_LENGTH ? `${snippet.slice(0, SNIPPET_LENGTH)}…` : snippet;
  const message = `${request.method} ${origin}${pathname} answered ${status}${shown && `: ${shown}`}`;
  const nextRetryDelay = retryAfterMs(headers["retry-after"]);
  throw ApplicationFailure.create({
    message,
    type: "HttpStatus",
    nonRetryable: status < 500 && !RETRYABLE_STATUSES.has(status),
    ...(nextRetryDelay === null ? {} : { nextRetryDelay }),
  });
}

/** `Retry-After` in seconds or as a date; null if there is none. Capped, as the server may ask for days. */
function retryAfterMs(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}
