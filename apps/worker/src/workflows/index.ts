// The entry of the workflow bundle. The workflow type is the definition's name, whatever it is; the
// interceptor calls the interpreter for every type, so this default export only makes all of them known.
import { ApplicationFailure } from "@temporalio/workflow";

export default async function anyWorkflow(): Promise<never> {
  throw ApplicationFailure.nonRetryable(
    "The mirror interceptor is not loaded",
    "InterceptorMissing",
  );
}
