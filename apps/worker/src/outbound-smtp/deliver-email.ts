import { ApplicationFailure } from "@temporalio/common";
import { createTransport, type NodemailerError } from "nodemailer";
import type { EmailSender, SmtpServer } from "./email-settings.ts";

/** A message whose addresses and texts are checked. */
export interface Email {
  /** With its angle brackets. */
  messageId: string;
  from: EmailSender;
  to: readonly string[];
  cc: readonly string[];
  replyTo: string | null;
  subject: string;
  text: string | null;
  html: string | null;
}

/** How long a server may stay silent, in milliseconds. The step's timeout bounds the whole delivery. */
export interface SmtpTimeouts {
  connectMs: number;
  greetingMs: number;
  silenceMs: number;
}

const DEFAULT_TIMEOUTS: SmtpTimeouts = { connectMs: 10_000, greetingMs: 10_000, silenceMs: 30_000 };

/**
 * Hands a message to a mail server, once for all of its recipients.
 *
 * @throws `ApplicationFailure` of type `SmtpAnswer` (retryable if the server calls the reason temporary,
 * 4xx), `NetworkError` (retryable), `RecipientsRefused` (the message was sent to the other recipients: not
 * retryable, as those would get it again) or `InvalidEmail` (not retryable); the signal's reason when it
 * was aborted
 */
export async function deliverEmail(
  server: SmtpServer,
  email: Email,
  { signal, timeouts = DEFAULT_TIMEOUTS }: { signal: AbortSignal; timeouts?: SmtpTimeouts },
): Promise<void> {
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.isSecure,
    ...(server.auth === null
      ? {}
      : { auth: { user: server.auth.user, pass: server.auth.password } }),
    connectionTimeout: timeouts.connectMs,
    dnsTimeout: timeouts.connectMs,
    greetingTimeout: timeouts.greetingMs,
    socketTimeout: timeouts.silenceMs,
  });
  try {
    const { rejectedErrors = [] } = await transport.sendMail({ ...toMessage(email), signal });
    if (rejectedErrors.length > 0) throw toPartialRefusal(rejectedErrors);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof ApplicationFailure ? error : toFailure(server, error as NodemailerError);
  } finally {
    transport.close();
  }
}

/** The message as it would be sent (RFC 5322). */
export async function renderEmail(email: Email): Promise<Uint8Array> {
  const transport = createTransport({ streamTransport: true, buffer: true });
  const { message } = await transport.sendMail(toMessage(email));
  if (!Buffer.isBuffer(message)) throw new Error("The message was not rendered as a whole");
  return message;
}

/** Addresses as objects: nothing parses them, so nothing in them can become another address or header. */
function toMessage(email: Email) {
  const toAddress = (address: string): EmailSender => ({ name: "", address });
  const { messageId, subject, text, html, replyTo } = email;
  return {
    from: email.from,
    to: email.to.map(toAddress),
    cc: email.cc.map(toAddress),
    envelope: { from: email.from.address, to: [...new Set([...email.to, ...email.cc])] },
    ...(replyTo === null ? {} : { replyTo: toAddress(replyTo) }),
    subject,
    messageId,
    ...(text === null ? {} : { text }),
    ...(html === null ? {} : { html }),
    // RFC 3834: keeps out-of-office replies from answering it.
    headers: { "Auto-Submitted": "auto-generated" },
    xMailer: false as const,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function toPartialRefusal(errors: readonly NodemailerError[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The mail server refused some of the recipients, and took the message for the others: ${listRefused(errors)}`,
    "RecipientsRefused",
  );
}

const MAX_SHOWN = 10;

function listRefused(errors: readonly NodemailerError[]): string {
  const shown = errors
    .slice(0, MAX_SHOWN)
    .map((error) => `${error.recipient ?? "a recipient"} (${error.response ?? error.message})`);
  const more = errors.length > MAX_SHOWN ? `, and ${errors.length - MAX_SHOWN} more` : "";
  return shown.join(", ") + more;
}

/** Faults that nodemailer finds without an answer from the server, and would find again. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EAUTH",
  "ENOAUTH",
  "ECONFIG",
  "EENVELOPE",
  "EMESSAGE",
]);

function toFailure({ host, port }: SmtpServer, error: NodemailerError): ApplicationFailure {
  const refused = error.rejectedErrors ?? [];
  const reason = refused.length > 0 ? `refused ${listRefused(refused)}` : error.message;
  const message = `Mail server ${host}:${port}: ${reason}`;
  // Set exactly when the server has answered.
  if (error.permanent !== undefined) {
    const nonRetryable = error.permanent;
    return ApplicationFailure.create({ message, type: "SmtpAnswer", nonRetryable });
  }
  return OWN_FAULTS.has(error.code ?? "")
    ? ApplicationFailure.nonRetryable(message, "InvalidEmail")
    : ApplicationFailure.retryable(message, "NetworkError");
}
