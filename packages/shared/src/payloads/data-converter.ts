import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import { createEncryptionCodec } from "./encryption-codec.ts";
import type { EncryptionKey } from "./encryption-key.ts";

/** The part of a configuration that says how payloads are kept in Temporal (see `temporalEnv`). */
export interface PayloadConfig {
  PAYLOAD_ENCRYPTION_KEY?: readonly [EncryptionKey, ...EncryptionKey[]] | undefined;
}

/** The SDK loads it itself, which it cannot from sources: the same built file seen from `src` and from `dist`. */
const ENCODED_FAILURES = fileURLToPath(
  new URL("../../dist/payloads/encoded-failures.js", import.meta.url),
);

/**
 * What Temporal's clients and workers put between values and what Temporal keeps. Without a key nothing:
 * plain JSON, as every SDK has it.
 */
export function toDataConverter({ PAYLOAD_ENCRYPTION_KEY: keys }: PayloadConfig): DataConverter {
  if (keys === undefined) return {};
  return {
    payloadCodecs: [createEncryptionCodec(keys)],
    failureConverterPath: ENCODED_FAILURES,
  };
}
