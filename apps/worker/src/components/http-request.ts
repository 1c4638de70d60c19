import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../component.ts";
import { assertNoErrorStatus } from "../outbound-http/error-status.ts";
import { sendOutbound } from "../outbound-http/outbound-request.ts";
import { toBodyValue } from "../outbound-http/response-body.ts";

const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** The client sets these itself from URL and body; a caller's would contradict them. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|upgrade|expect|keep-alive|te|trailer|proxy-.*)$/i;

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is not a header name")
  .refine((name) => !OWN_HEADERS.test(name), "is set by the client itself");
// oxlint-disable-next-line no-control-regex -- exactly what a header's value must not hold
const headerValue = z.string().regex(/^[^\x00-\x08\x0a-\x1f\x7f]*$/, "holds a control character");
/** Of one name in a query. */
const MAX_REPEATS = 1_000;
const queryValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** Sends one HTTP request; see `sendOutbound` for which addresses can be reached. */
export default defineComponent({
  action: "http_request",
  title: "HTTP request",
  description:
    "Sends an HTTP request to a public address and gives back status, headers and body. Network errors and the statuses 408, 425, 429 and 5xx are retried, other 4xx fail at once. Up to 5 redirects are followed. Requests other than GET, HEAD and OPTIONS carry an Idempotency-Key that is equal across attempts, unless one is given.",
  input: z.strictObject({
    method: z.enum(METHODS),
    url: z.string().min(1).describe("http:// or https://, without credentials"),
    headers: z.record(headerName, headerValue).optional(),
    query: z
      .record(z.string(), z.union([queryValue, z.array(queryValue).max(MAX_REPEATS)]))
      .optional()
      .describe("Added to the URL's own query; a list repeats its name, null is left out"),
    body: z
      .unknown()
      .describe("A text is sent as it is, anything else as JSON; null is no body")
      .optional(),
    keep_body: z
      .boolean()
      .default(true)
      .describe(
        "false leaves the answer's body out of the output: for calls that are only to happen",
      ),
  }),
  output: z.strictObject({
    status: z.number().int().describe("2xx, or a 3xx that leads nowhere"),
    headers: z.record(z.string(), z.string()).describe("Names in lower case"),
    body: z
      .unknown()
      .describe(
        "Parsed if it is JSON, else text; binary data as a data: URL; null if empty or not kept",
      ),
  }),
  async run({ input, config, signal, idempotencyKey }) {
    const body = toBody(input.body);
    if (body !== null && (input.method === "GET" || input.method === "HEAD")) {
      throw ApplicationFailure.nonRetryable(
        `with.body: a ${input.method} request has no body`,
        "InvalidInput",
      );
    }
    const defaults = {
      "user-agent": "truerun",
      accept: "*/*",
      ...(body === null ? {} : { "content-type": body.contentType }),
      ...(SAFE_METHODS.has(input.method) ? {} : { "idempotency-key": idempotencyKey }),
    };
    const response = await sendOutbound(
      {
        method: input.method,
        url: withQuery(input.url, input.query ?? {}),
        headers: { ...defaults, ...lowerCased(input.headers ?? {}) },
        body: body?.text ?? null,
      },
      { allowedPrivateHosts: config.allowedPrivateHosts, signal },
    );
    assertNoErrorStatus(input, response);
    const { status, headers } = response;
    const kept = input.keep_body ? toBodyValue(response.body, headers["content-type"]) : null;
    return { output: { status, headers, body: kept } };
  },
});

function toBody(body: unknown): { text: string; contentType: string } | null {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return { text: body, contentType: "text/plain; charset=utf-8" };
  return { text: JSON.stringify(body), contentType: "application/json" };
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

type QueryValue = z.output<typeof queryValue>;

/** A text that is not a URL comes back unchanged, and is refused where URLs are checked. */
function withQuery(text: string, query: Record<string, QueryValue | QueryValue[]>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  );
  if (pairs.length === 0 || !URL.canParse(text)) return text;
  const url = new URL(text);
  for (const [name, value] of pairs) if (value !== null) url.searchParams.append(name, `${value}`);
  return url.href;
}
