// Puts the message and the stack of a failure into a payload, where the codec encrypts them. Temporal's SDK
// loads this file by its path and expects this name of its export.
import { DefaultFailureConverter } from "@temporalio/common";

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
