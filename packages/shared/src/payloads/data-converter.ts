import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import { createEncryptionCodec } from "./encryption-codec.ts";
import type { EncryptionKey } from "./encryption-key.ts";

/** The part of a configuration that says how payloads are kept in Temporal (see `temporalEnv`). */
export interface PayloadConfig {
  PAYLOAD_ENCRYPTION_KEY?: readonly [EncryptionKey, ...EncryptionKey[]] | undefined;
}

/** The SDK loads this file itself, so it must be the built one, whether this runs from `src` or from `dist`. */
const ENCODED_FAILURES = fileURLToPath(
  new URL("../../dist/payloads/encoded-failures.js", import.meta.url),
);

/**
 * How Temporal's clients and workers convert values into what Temporal keeps. Without a key: plain JSON, as
 * in every SDK.
 */
export function toDataConverter({ PAYLOAD_ENCRYPTION_KEY: keys }: PayloadConfig): DataConverter {
  if (keys === undefined) return {};
  return {
    payloadCodecs: [createEncryptionCodec(keys)],
    failureConverterPath: ENCODED_FAILURES,
  };
}
