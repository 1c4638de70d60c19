// How values become what Temporal keeps, and back: as JSON, like every SDK. Only that what cannot be read is
// a value as well: a worker in another language may send NaN, a protobuf or something encrypted, and an error
// thrown while the workflow reads it would fail its task for ever.
import {
  type ConverterHint,
  defaultPayloadConverter,
  type Payload,
  type PayloadConverter,
  type SerializationContext,
} from "@temporalio/common";

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
      const reason = error instanceof Error ? error.message : String(error);
      return new UnreadablePayload(reason) as T;
    }
  },
};
