import { ApplicationFailure } from "@temporalio/common";
import { Agent, type Dispatcher, errors, request } from "undici";
import type { AllowedHost } from "./allowed-hosts.ts";
import { decodeContent, readBody, readErrorBody } from "./response-body.ts";
import { BlockedAddressError, createSafeConnector } from "./safe-connector.ts";

export interface OutboundRequest {
  method: Dispatcher.HttpMethod;
  /** Checked here: only http and https, no credentials in it. */
  url: string;
  /** Lower-cased names. */
  headers: Readonly<Record<string, string>>;
  body: string | null;
}

export interface OutboundResponse {
  status: number;
  /** Lower-cased names; repeated ones joined by a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface OutboundOptions {
  allowedPrivateHosts: readonly AllowedHost[];
  signal: AbortSignal;
  /**
   * For requests of which only the answer's status counts: a redirect is an answer, and the body comes back
   * only as far as an error's message needs it, otherwise empty. A broken body does no harm.
   */
  isStatusOnly?: boolean;
}

const MAX_REDIRECTS = 5;
const HEADERS_TIMEOUT_MS = 300_000;
/** Between two chunks. The step's timeout bounds the whole request, through the signal. */
const BODY_TIMEOUT_MS = 30_000;

/**
 * Headers that go along to another origin. Any other may be a secret meant for the first one. The key
 * is none, and without it the other origin would do again what a repeat asks for.
 */
const HARMLESS_HEADERS = new Set([
  "accept",
  "accept-language",
  "content-language",
  "content-type",
  "idempotency-key",
  "user-agent",
]);

/**
 * Sends a request to a public address or an allow-listed host, follows up to five redirects, each one
 * checked again, and reads at most 1 MiB of answer (of an error's, less). Any status is an answer.
 *
 * @throws a non-retryable `ApplicationFailure` of type `InvalidUrl`, `BlockedAddress`,
 * `InvalidRequest`, `TooManyRedirects` or `ResponseTooLarge`; a retryable one of type `NetworkError`;
 * the signal's reason when it was aborted
 */
export async function sendOutbound(
  outbound: OutboundRequest,
  options: OutboundOptions,
): Promise<OutboundResponse> {
  const agent = new Agent({
    connect: createSafeConnector(options.allowedPrivateHosts),
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
  });
  let current: CheckedRequest = { ...outbound, url: checkUrl(outbound.url) };
  try {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const { url, method, headers, body } = current;
      const { signal, isStatusOnly = false } = options;
      const sent = request(url, { method, headers, body, dispatcher: agent, signal });
      const answer = await untilAborted(sent, signal);
      const next = isStatusOnly ? null : toRedirected(current, answer);
      if (next === null) return await toResponse(answer, isStatusOnly);
      await answer.body.dump();
      current = next;
    }
    throw ApplicationFailure.nonRetryable(
      `${describe(current)} was redirected more than ${MAX_REDIRECTS} times`,
      "TooManyRedirects",
    );
  } catch (error) {
    throw toFailure(error, { current, signal: options.signal });
  } finally {
    await agent.destroy();
  }
}

/** undici ignores the signal while it connects. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, fail) => {
    const onAbort = (): void => fail(new Error("aborted", { cause: signal.reason }));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

type CheckedRequest = Omit<OutboundRequest, "url"> & { url: URL };

function checkUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) {
    throw invalidUrl(`${JSON.stringify(text.slice(0, 200))} is not a URL`);
  }
  const url = new URL(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw invalidUrl(`Only http and https URLs can be requested, not ${url.protocol}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw invalidUrl(`The URL of ${url.host} must not hold credentials: use a header`);
  }
  return url;
}

function invalidUrl(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, "InvalidUrl");
}

/** The request that an answer redirects to, by the rules of fetch; null if it does not redirect. */
function toRedirected(
  from: CheckedRequest,
  answer: Dispatcher.ResponseData,
): CheckedRequest | null {
  const { location } = answer.headers;
  const status = answer.statusCode;
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== "string") return null;
  const url = checkUrl(location, from.url);
  const becomesGet =
    (status === 303 && from.method !== "HEAD") || (status <= 302 && from.method === "POST");
  const kept = Object.entries(from.headers).filter(
    ([name]) =>
      (url.origin === from.url.origin || HARMLESS_HEADERS.has(name)) &&
      !(becomesGet && /^(content-|idempotency-key$)/.test(name)),
  );
  return {
    method: becomesGet ? "GET" : from.method,
    url,
    headers: Object.fromEntries(kept),
    body: becomesGet ? null : from.body,
  };
}

async function toResponse(
  answer: Dispatcher.ResponseData,
  isStatusOnly: boolean,
): Promise<OutboundResponse> {
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]): [string, string] => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  const status = answer.statusCode;
  if (isStatusOnly && status < 400) {
    // Nobody reads it, so nobody need be told that it was cut off.
    answer.body.on("error", () => undefined).destroy();
    return { status, headers, body: Buffer.alloc(0) };
  }
  const encoding = headers["content-encoding"];
  const body =
    status >= 400
      ? await readErrorBody(answer.body, encoding)
      : await decodeContent(await readBody(answer.body), encoding);
  return { status, headers, body };
}

function toFailure(
  error: unknown,
  { current, signal }: { current: CheckedRequest; signal: AbortSignal },
): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof ApplicationFailure) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  if (error instanceof BlockedAddressError) {
    return ApplicationFailure.nonRetryable(reason, "BlockedAddress");
  }
  const message = `${describe(current)} failed: ${reason}`;
  return error instanceof errors.InvalidArgumentError
    ? ApplicationFailure.nonRetryable(message, "InvalidRequest")
    : ApplicationFailure.retryable(message, "NetworkError");
}

/** Without the query, which may hold secrets. */
function describe({ method, url }: CheckedRequest): string {
  return `${method} ${url.origin}${url.pathname}`;
}
