import { createSecretKey, type KeyObject } from "node:crypto";
import { z } from "zod";

/**
 * Keys of outgoing webhooks by the variable that each comes from. A `KeyObject` shows nothing of itself when
 * it is logged or made into JSON.
 */
export type WebhookSecrets = ReadonlyMap<string, KeyObject>;

const PREFIX = "WEBHOOK_SECRET_";
const VARIABLE = /^WEBHOOK_SECRET_[A-Z0-9_]+$/;
const BASE64_MARK = "whsec_";
const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$|^[A-Za-z0-9+/]{3}=$/;

/** The variable that holds the secret of this name. */
export function toSecretVariable(secretName: string): string {
  return PREFIX + secretName.toUpperCase();
}

/**
 * Picks every variable `WEBHOOK_SECRET_<NAME>` from a whole environment. By the rules of Standard Webhooks
 * a value `whsec_<base64>` stands for the decoded bytes; any other stands for its own, as UTF-8.
 */
export const webhookSecretsEnv = z
  .record(z.string(), z.unknown())
  .transform((environment, context): { webhookSecrets: WebhookSecrets } => {
    const webhookSecrets = new Map<string, KeyObject>();
    for (const [name, value] of Object.entries(environment)) {
      if (!name.startsWith(PREFIX) || typeof value !== "string") continue;
      const key = toKey(value);
      const fault = VARIABLE.test(name)
        ? "expected base64 after whsec_"
        : "expected a name of capitals, digits and underscores";
      if (key === null || !VARIABLE.test(name)) {
        context.addIssue({ code: "custom", path: [name], message: fault });
      } else {
        webhookSecrets.set(name, key);
      }
    }
    return { webhookSecrets };
  });

function toKey(secret: string): KeyObject | null {
  if (!secret.startsWith(BASE64_MARK)) return createSecretKey(secret, "utf8");
  const encoded = secret.slice(BASE64_MARK.length);
  return BASE64.test(encoded) ? createSecretKey(encoded, "base64") : null;
}
