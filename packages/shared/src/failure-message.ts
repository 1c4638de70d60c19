import type { Client } from "@temporalio/client";
import {
  type LoadedDataConverter,
  type ProtoFailure,
  TimeoutFailure,
  ValueError,
} from "@temporalio/common";
import { decodeOptionalFailureToOptionalError } from "@temporalio/common/lib/internal-non-workflow/index.js";
import { DecryptionError } from "./payloads/encryption-codec.ts";
import { timeoutMessage } from "./timeout-message.ts";

/** Stands for the message of a failure that is encrypted with a key that this process does not have. */
export const UNREADABLE_FAILURE =
  "The message is encrypted with a key that this process has not got.";

/** The message that a step has for a failure as Temporal keeps it; null when there is none. */
export async function failureMessage(
  client: Pick<Client, "options">,
  failure: ProtoFailure | null | undefined,
): Promise<string | null> {
  const { loadedDataConverter } = client.options;
  const error = await decode(loadedDataConverter, failure);
  if (error === undefined) return null;
  if (error === "unreadable") return UNREADABLE_FAILURE;
  if (error instanceof TimeoutFailure) return timeoutMessage(error.timeoutType);
  return error.message;
}

async function decode(
  converter: LoadedDataConverter,
  failure: ProtoFailure | null | undefined,
): Promise<Error | "unreadable" | undefined> {
  try {
    return await decodeOptionalFailureToOptionalError(converter, failure);
  } catch (error) {
    // The converter throws a ValueError for an encoding that nobody has decoded.
    if (error instanceof DecryptionError || error instanceof ValueError) return "unreadable";
    throw error;
  }
}
