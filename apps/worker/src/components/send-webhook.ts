import { createHmac, type KeyObject } from "node:crypto";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../component.ts";
import { assertNoErrorStatus } from "../outbound-http/error-status.ts";
import { type OutboundResponse, sendOutbound } from "../outbound-http/outbound-request.ts";
import { shortHash } from "../short-hash.ts";
import { toSecretVariable, type WebhookSecrets } from "../webhook-secrets.ts";

/** Tells another system of an event, signed as https://www.standardwebhooks.com specifies. */
export default defineComponent({
  action: "send_webhook",
  title: "Send webhook",
  description:
    "Tells another system that something happened: a signed POST of {event_id, event_type, occurred_at, data} to its URL. The receiver verifies webhook-signature with a Standard Webhooks library, or the header X-Webhook-Signature, which is sha256= and the hex HMAC-SHA256 of the body. Network errors and the statuses 408, 425, 429 and 5xx are retried with the same event_id, by which the receiver tells a repeat; any other status but 2xx, redirects included, fails at once.",
  input: z.strictObject({
    url: z.string().min(1).describe("http:// or https://, of a public host, without credentials"),
    event_type: z.string().min(1).max(255).describe("What happened, e.g. vendor.approved"),
    data: z.unknown().describe("Any JSON about the event"),
    secret_name: z
      .string()
      .max(100)
      .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "must be letters, digits and underscores")
      // Otherwise the failure that names the missing variable would show the secret.
      .refine((name) => !name.startsWith("whsec_"), "is a secret itself; give the name of one")
      .describe(
        "Which secret signs it: billing is the worker's environment variable WEBHOOK_SECRET_BILLING. Never the secret itself.",
      ),
  }),
  output: z.strictObject({
    status: z.number().int().describe("The receiver's answer, 2xx"),
    event_id: z.string().describe("cbevt_..., also in the body and the header webhook-id"),
  }),
  async run({ input, config, signal, log, idempotencyKey, scheduledAtMs }) {
    const key = getSecret(config.webhookSecrets, input.secret_name);
    const eventId = toEventId(idempotencyKey);
    const body = JSON.stringify({
      event_id: eventId,
      event_type: input.event_type,
      occurred_at: Math.floor(scheduledAtMs / 1_000),
      data: input.data,
    });
    const headers = {
      "user-agent": "truerun",
      "content-type": "application/json",
      ...toSignatureHeaders({ eventId, body, key }),
    };
    const request = { method: "POST", url: input.url, headers, body } as const;
    const { allowedPrivateHosts } = config;
    const response = await sendOutbound(request, {
      allowedPrivateHosts,
      signal,
      isStatusOnly: true,
    });
    assertNoErrorStatus(request, response);
    assertNoRedirect(input.url, response);
    log.info({ eventId, eventType: input.event_type, status: response.status }, "sent webhook");
    return { output: { status: response.status, event_id: eventId } };
  },
});

/** @throws a non-retryable `ApplicationFailure`: another attempt would have the same environment */
function getSecret(secrets: WebhookSecrets, name: string): KeyObject {
  const variable = toSecretVariable(name);
  const key = secrets.get(variable);
  if (key !== undefined) return key;
  throw ApplicationFailure.nonRetryable(
    `There is no webhook secret of the name ${name}: set ${variable} in the worker's environment`,
    "UnknownSecret",
  );
}

/** Equal across attempts, so that the receiver can tell a repeat from another event. */
function toEventId(idempotencyKey: string): string {
  return `cbevt_${shortHash(`send_webhook ${idempotencyKey}`, 32)}`;
}

/**
 * The headers of Standard Webhooks, and one for receivers that know only the HMAC of a body. The
 * timestamp is the attempt's, not the event's: receivers refuse what was signed minutes ago.
 */
function toSignatureHeaders(signed: {
  eventId: string;
  body: string;
  key: KeyObject;
}): Record<string, string> {
  const { eventId, body, key } = signed;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const hmac = (text: string, encoding: "base64" | "hex"): string =>
    createHmac("sha256", key).update(text, "utf8").digest(encoding);
  return {
    "webhook-id": eventId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${hmac(`${eventId}.${timestamp}.${body}`, "base64")}`,
    "x-webhook-signature": `sha256=${hmac(body, "hex")}`,
  };
}

/** A signed event goes to the URL that was given, and to none that this one redirects to. */
function assertNoRedirect(url: string, { status }: OutboundResponse): void {
  if (status < 300) return;
  const { origin, pathname } = new URL(url);
  throw ApplicationFailure.nonRetryable(
    `POST ${origin}${pathname} answered ${status}. Webhooks follow no redirects: give the URL that takes them.`,
    "HttpStatus",
  );
}
