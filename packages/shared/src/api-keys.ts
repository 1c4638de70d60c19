import { createHash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** What a key may be allowed to do beyond starting and reading runs and reading definitions. */
export const API_KEY_SCOPES = ["workflows:write"] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

const PREFIX = "ak_live_";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`);

/** Whether `text` names a scope that a key can have. */
export function isApiKeyScope(text: string): text is ApiKeyScope {
  return API_KEY_SCOPES.some((scope) => scope === text);
}

/**
 * Makes a new key: `ak_live_`, 32 random base62 characters (190 bits) and a checksum of both.
 * Only `hash` may be stored; `text` is shown once and cannot be retrieved.
 */
export function generateApiKey(): { text: string; hash: Uint8Array<ArrayBuffer> } {
  const secret = Array.from({ length: SECRET_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]);
  const unchecked = PREFIX + secret.join("");
  const text = unchecked + checksum(unchecked);
  return { text, hash: hashApiKey(text) };
}

/**
 * SHA-256 of the key's text, as stored in `api_keys.key_hash`. A slow hash would add nothing: the
 * key is random and long, not a password.
 */
export function hashApiKey(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(text, "utf8").digest());
}

/** Whether `text` has the form and the checksum of a key. Catches typing errors without the database. */
export function isWellFormedApiKey(text: string): boolean {
  if (!FORM.test(text)) return false;
  const unchecked = text.slice(0, -CHECKSUM_LENGTH);
  return text.slice(-CHECKSUM_LENGTH) === checksum(unchecked);
}

/** Masks keys that somebody put into a text by mistake; for logs. */
export function hideApiKeys(text: string): string {
  return text.replaceAll(/ak_live_\w+/g, `${PREFIX}...`);
}

/** CRC-32 as six base62 digits: 62^6 exceeds 2^32. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
