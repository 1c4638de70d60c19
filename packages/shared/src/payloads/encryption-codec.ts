// AES-256-GCM around every payload, in the layout of Temporal's own samples, so that workers in other
// languages and codec servers can read it: 12 bytes of nonce, the ciphertext, 16 bytes of tag.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import { ENCODING, ENCODING_FIELD, encryptionKeyId, KEY_ID_FIELD } from "./encrypted-payload.ts";
import type { EncryptionKey } from "./encryption-key.ts";

const PayloadMessage = proto.temporal.api.common.v1.Payload;

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A payload cannot be decrypted: its key is not among ours, or it was altered. */
export class DecryptionError extends Error {
  override name = "DecryptionError";
}

/**
 * Encrypts with the first key; decrypts with whichever key a payload names. What was not encrypted with a key
 * of this service passes unchanged, so that runs from before the first key stay readable.
 *
 * @throws DecryptionError while decoding, naming the key; a workflow task that meets it is tried again
 */
export function createEncryptionCodec(
  keys: readonly [EncryptionKey, ...EncryptionKey[]],
): PayloadCodec {
  const byId = new Map(keys.map((each) => [each.id, each]));
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, keys[0])),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, byId)),
  };
}

function encrypt(payload: Payload, { id, key }: EncryptionKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const hidden = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
  return {
    metadata: { [ENCODING_FIELD]: Buffer.from(ENCODING), [KEY_ID_FIELD]: Buffer.from(id) },
    data: Buffer.concat([nonce, ...hidden, cipher.getAuthTag()]),
  };
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, EncryptionKey>): Payload {
  const id = encryptionKeyId(payload);
  if (id === null) return payload;
  const found = keys.get(id);
  if (found === undefined) {
    throw new DecryptionError(
      `A payload is encrypted with the key ${id}, which PAYLOAD_ENCRYPTION_KEY does not hold.`,
    );
  }
  const data = payload.data ?? new Uint8Array(0);
  const end = data.byteLength - TAG_BYTES;
  try {
    const decipher = createDecipheriv(CIPHER, found.key, data.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(data.subarray(Math.max(end, 0)));
    const plain = [decipher.update(data.subarray(NONCE_BYTES, end)), decipher.final()];
    return PayloadMessage.decode(Buffer.concat(plain));
  } catch (error) {
    throw new DecryptionError(`A payload that names the key ${id} cannot be decrypted with it.`, {
      cause: error,
    });
  }
}
