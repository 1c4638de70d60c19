import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type AllowedHost, parseAllowedHosts } from "./outbound-http/allowed-hosts.ts";
import {
  type EmailSender,
  type MailServer,
  parseEmailSender,
  parseSmtpUrl,
} from "./outbound-smtp/email-settings.ts";
import { type WebhookSecrets, webhookSecretsEnv } from "./webhook-secrets.ts";

const fixedVariables = z.object({
  /** Private hosts that `http_request` and `send_webhook` may reach: comma-separated `host`, `host:port` or CIDR. */
  HTTP_ALLOWED_PRIVATE_HOSTS: z
    .string()
    .default("")
    .transform((text, context): AllowedHost[] => {
      const parsed = parseAllowedHosts(text);
      for (const fault of parsed.faults) context.addIssue({ code: "custom", message: fault });
      return parsed.allowed;
    }),
  /** JSON file of the vendors that `find_vendors` searches. */
  VENDORS_FILE: z.string().optional(),
  /** Folder that components write files to; default `outbox` in DATA_DIR. */
  OUTBOX_DIR: z.string().optional(),
  DATA_DIR: z.string().default(".data"),
  /** The server that `send_email` hands its messages to; `outbox:` makes files of them. */
  SMTP_URL: z
    .string()
    .transform((text, context) => {
      const server = parseSmtpUrl(text);
      if (server !== null) return server;
      context.addIssue({
        code: "custom",
        message:
          "expected smtp://user:password@host:port or smtps://..., special characters as %XX, or outbox:",
      });
      return z.NEVER;
    })
    .optional(),
  /** The sender of those messages. */
  EMAIL_FROM: z
    .string()
    .transform((text, context) => {
      const sender = parseEmailSender(text);
      if (sender !== null) return sender;
      context.addIssue({
        code: "custom",
        message: "expected name@example.com or Name <name@example.com>",
      });
      return z.NEVER;
    })
    .optional(),
});

/** Part of the worker's environment; {@link toComponentsConfig} turns it into what components see. */
export const componentsEnv = z.intersection(fixedVariables, webhookSecretsEnv);

/** What components get from the environment, parsed once at start-up. */
export interface ComponentsConfig {
  allowedPrivateHosts: readonly AllowedHost[];
  vendorsFile: string;
  outboxDir: string;
  webhookSecrets: WebhookSecrets;
  mailServer: MailServer | null;
  emailFrom: EmailSender | null;
}

/** The same relative path from `src` and from `dist`. */
const SHIPPED_VENDORS_FILE = fileURLToPath(new URL("../data/vendors.json", import.meta.url));

export function toComponentsConfig(env: z.output<typeof componentsEnv>): ComponentsConfig {
  return {
    allowedPrivateHosts: env.HTTP_ALLOWED_PRIVATE_HOSTS,
    vendorsFile: env.VENDORS_FILE ?? SHIPPED_VENDORS_FILE,
    outboxDir: resolve(env.OUTBOX_DIR ?? join(env.DATA_DIR, "outbox")),
    webhookSecrets: env.webhookSecrets,
    mailServer: env.SMTP_URL ?? null,
    emailFrom: env.EMAIL_FROM ?? null,
  };
}
