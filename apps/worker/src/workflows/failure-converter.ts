// Turns what workflow code throws into what Temporal keeps. The bundle is the same for workers with and
// without encryption; those with it say so by a global (see `load-workflow-bundle.ts`).
import { DefaultFailureConverter } from "@temporalio/common";

/** The name by which the workflow bundle finds it. */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: "truerunEncodesFailures" in globalThis,
});
