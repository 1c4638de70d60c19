// Turns values into what Temporal keeps, and back: as JSON, like every SDK, except that what cannot be read
// becomes a value too. A worker in another language may send NaN, a protobuf or something encrypted, and an error
// thrown while the workflow reads it would fail its task for ever. That is right only for what this service has
// encrypted itself: the task then waits for a worker that has the key.
import {
  type ConverterHint,
  defaultPayloadConverter,
  type Payload,
  type PayloadConverter,
  type SerializationContext,
} from "@temporalio/common";
import { encryptionKeyId } from "@truerun/shared/payloads/encrypted-payload";

/** Stands for what another worker sent and nobody here can read. */
export class UnreadablePayload {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The name by which the workflow bundle finds it. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload, context, hint);
    } catch (error) {
      const id = encryptionKeyId(payload);
      if (id !== null)
        throw new Error(`This worker has no PAYLOAD_ENCRYPTION_KEY; ${id} is needed.`);
      const reason = error instanceof Error ? error.message : String(error);
      return new UnreadablePayload(reason) as T;
    }
  },
};
