import { createHash, createSecretKey, type KeyObject } from "node:crypto";

const KEY_BYTES = 32;

/** A key and the name under which payloads mention it. */
export interface EncryptionKey {
  /** Derived from the key's hash: nobody has to name keys, and one name never means two keys. */
  readonly id: string;
  readonly key: KeyObject;
}

/** @returns null unless `text` is base64 of exactly 32 bytes */
export function parseEncryptionKey(text: string): EncryptionKey | null {
  const bytes = Buffer.from(text, "base64");
  if (bytes.byteLength !== KEY_BYTES || bytes.toString("base64") !== text) return null;
  const id = createHash("sha256").update("payload key\0").update(bytes).digest("hex").slice(0, 16);
  return { id, key: createSecretKey(bytes) };
}
