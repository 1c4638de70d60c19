// How an encrypted payload is recognized. Sandbox-safe.
import type { Payload } from "@temporalio/common";

/** Metadata of a payload, as in Temporal's own samples. */
export const ENCODING_FIELD = "encoding";
export const KEY_ID_FIELD = "encryption-key-id";
export const ENCODING = "binary/encrypted";

/** Ids of our keys; see `parseEncryptionKey`. Another team's own encryption names its keys differently. */
const KEY_ID = /^[0-9a-f]{16}$/;

/** The id of the key that encrypted a payload; null when it is not encrypted, or not with a key of this service. */
export function encryptionKeyId({ metadata }: Payload): string | null {
  if (toText(metadata?.[ENCODING_FIELD]) !== ENCODING) return null;
  const id = toText(metadata?.[KEY_ID_FIELD]);
  return KEY_ID.test(id) ? id : null;
}

function toText(bytes: Uint8Array | null | undefined): string {
  return bytes == null ? "" : new TextDecoder().decode(bytes);
}
