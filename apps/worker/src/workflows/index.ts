// What Temporal's SDK looks workflow types up in. The type is the definition's name, whatever it is; `workflow-entry.ts`
// calls the interpreter for every type, so this default export only makes all of them known.
import { ApplicationFailure } from "@temporalio/workflow";

export default async function anyWorkflow(): Promise<never> {
  throw ApplicationFailure.nonRetryable(
    "The interceptors of workflow-entry.ts are not loaded",
    "InterceptorMissing",
  );
}
