import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../component.ts";
import type { ComponentsConfig } from "../components-config.ts";
import { deliverEmail, type Email, renderEmail } from "../outbound-smtp/deliver-email.ts";
import { type EmailSender, type MailServer, OUTBOX } from "../outbound-smtp/email-settings.ts";
import { shortHash } from "../short-hash.ts";
import { writeOnce } from "../write-once.ts";

const MAX_RECIPIENTS = 50;

const email = z.email().max(254);
const oneOrList = z.union([email, z.array(email).min(1).max(MAX_RECIPIENTS)]);
const body = z.string().min(1);

/** Sends a message through the server of `SMTP_URL`. */
export default defineComponent({
  action: "send_email",
  title: "Send email",
  description:
    "Sends one email through the mail server that the worker is configured with (SMTP_URL, EMAIL_FROM; SMTP_URL=outbox: writes it as a file into the outbox folder instead). What the server calls temporary (4xx) and network errors are retried; what it refuses for good (5xx) fails at once. When it takes the message for some recipients only, the step fails and names the others. Message-ID is equal across attempts: should the server's answer get lost on the way, the repeat can be recognized by it.",
  input: z
    .strictObject({
      to: oneOrList.describe(
        `One address, or a list of at most ${MAX_RECIPIENTS}; all see each other`,
      ),
      cc: oneOrList.optional(),
      reply_to: email.optional().describe("Where answers go instead of to the sender"),
      subject: z
        .string()
        .min(1)
        .max(500)
        // oxlint-disable-next-line no-control-regex -- a line break would begin another header
        .regex(/^[^\x00-\x1f\x7f]*$/, "holds a control character"),
      text: body.optional().describe("The message as plain text; it needs text, html or both"),
      html: body.optional().describe("The message as HTML. Values from outside must be escaped"),
    })
    .refine(({ text, html }) => text !== undefined || html !== undefined, "needs text or html")
    // The same rule as JSON Schema: checks of a definition cannot run code.
    .meta({ anyOf: [{ required: ["text"] }, { required: ["html"] }] }),
  output: z.strictObject({
    message_id: z.string().describe("The header Message-ID, in angle brackets"),
  }),
  timeout: "2m",
  // Servers put off a sender that they do not know for minutes (greylisting).
  retry: { max_attempts: 8, initial_interval: "10s", max_interval: "10m" },
  async run({ input, config, signal, log, idempotencyKey }) {
    const { server, from } = getSettings(config);
    const messageId = toMessageId(idempotencyKey, from);
    const [to, cc] = [[input.to].flat(), [input.cc ?? []].flat()];
    const { subject, text = null, html = null, reply_to: replyTo = null } = input;
    const message = { messageId, from, to, cc, replyTo, subject, text, html };
    if (server === OUTBOX) await keep(message, config);
    else await deliverEmail(server, message, { signal });
    log.info({ messageId, recipients: to.length + cc.length }, "sent email");
    return { output: { message_id: messageId } };
  },
});

/** @throws a non-retryable `ApplicationFailure`: another attempt would have the same environment */
function getSettings(config: ComponentsConfig): { server: MailServer; from: EmailSender } {
  const { mailServer: server, emailFrom: from } = config;
  if (server !== null && from !== null) return { server, from };
  const missing = [
    ...(server === null ? ["SMTP_URL"] : []),
    ...(from === null ? ["EMAIL_FROM"] : []),
  ];
  throw ApplicationFailure.nonRetryable(
    `Email is not configured: set ${missing.join(" and ")} in the worker's environment`,
    "NotConfigured",
  );
}

/** Another attempt finds the file of the one before it: the message is the same. */
async function keep(message: Email, { outboxDir }: ComponentsConfig): Promise<void> {
  const file = `${message.messageId.slice(1, message.messageId.indexOf("@"))}.eml`;
  await writeOnce({ folder: outboxDir, file, content: await renderEmail(message) });
}

/** Equal across attempts, so that a repeat can be told from another message. */
function toMessageId(idempotencyKey: string, { address }: EmailSender): string {
  const hash = shortHash(`send_email ${idempotencyKey}`, 32);
  return `<${hash}@${address.slice(address.lastIndexOf("@") + 1)}>`;
}
