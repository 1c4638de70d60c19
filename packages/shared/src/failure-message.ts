import type { Client } from "@temporalio/client";
import { type ProtoFailure, TimeoutFailure } from "@temporalio/common";
import { decodeOptionalFailureToOptionalError } from "@temporalio/common/lib/internal-non-workflow/index.js";
import { timeoutMessage } from "./timeout-message.ts";

/** A failure as Temporal keeps it, in the words that a step's message has for it; null when there is none. */
export async function failureMessage(
  client: Pick<Client, "options">,
  failure: ProtoFailure | null | undefined,
): Promise<string | null> {
  const { loadedDataConverter } = client.options;
  const error = await decodeOptionalFailureToOptionalError(loadedDataConverter, failure);
  if (error === undefined) return null;
  if (error instanceof TimeoutFailure) return timeoutMessage(error.timeoutType);
  return error.message;
}
