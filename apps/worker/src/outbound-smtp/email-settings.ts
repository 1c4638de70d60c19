import { z } from "zod";

/** A mail server to hand messages to. */
export interface SmtpServer {
  /** Without the brackets of an IPv6 address. */
  host: string;
  port: number;
  /** TLS from the first byte. Without it, the connection is upgraded where the server offers that. */
  isSecure: boolean;
  auth: { user: string; password: string } | null;
}

/** Stands in for a mail server where there is none: messages become files in the outbox folder. */
export const OUTBOX = "outbox:";

export type MailServer = SmtpServer | typeof OUTBOX;

export interface EmailSender {
  /** Empty if there is none. */
  name: string;
  address: string;
}

/** Ports for the submission of messages, by RFC 6409 and RFC 8314. */
const DEFAULT_PORTS = { "smtp:": 587, "smtps:": 465 } as const;

/** Reads `smtp://` or `smtps://` with `user:password@` or without, or `outbox:`. Null if it is anything else. */
export function parseSmtpUrl(text: string): MailServer | null {
  if (text === OUTBOX) return OUTBOX;
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== "smtp:" && protocol !== "smtps:") return null;
  const hasMore = (pathname !== "" && pathname !== "/") || search !== "" || hash !== "";
  const isHalfAuth = (username === "") !== (password === "");
  if (hostname === "" || hasMore || isHalfAuth) return null;
  const [user, secret] = [decode(username), decode(password)];
  if (user === null || secret === null) return null;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? DEFAULT_PORTS[protocol] : Number(port),
    isSecure: protocol === "smtps:",
    auth: user === "" ? null : { user, password: secret },
  };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Reads an address, or a name and an address in angle brackets. Null if it is anything else. */
export function parseEmailSender(text: string): EmailSender | null {
  const [, quoted = "", bracketed] = /^([^<>\p{Cc}]*)<([^<>]*)>$/u.exec(text.trim()) ?? [];
  const address = bracketed ?? text.trim();
  if (!z.email().max(254).safeParse(address).success) return null;
  return { name: quoted.trim().replace(/^"(.*)"$/, "$1"), address };
}
