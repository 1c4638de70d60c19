// Puts the message and the stack of a failure into a payload, where the codec encrypts them. Temporal's SDK
// loads it by its path, so the name of its export is given.
import { DefaultFailureConverter } from "@temporalio/common";

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
