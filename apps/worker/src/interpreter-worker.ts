import { Worker } from "@temporalio/worker";

/**
 * The SDK's worker, whose workflow code may compute for as long as it needs: tens of large outputs that come in
 * together take the interpreter over 5 s, the SDK's limit. What is cut short in there can end the whole process ("async
 * hook stack has become corrupted", or a segmentation fault), every worker's in turn, as the task is tried again. The
 * interpreter holds no code of others and always comes to an end.
 *
 * An option that the SDK's types do not show, `isolateExecutionTimeout`, lengthens the limit but cannot leave it out, and
 * for any limit Node makes a thread and waits for its end, at each of the 18 entries into the sandbox that a run of three
 * steps has. Without a limit such a run of local steps costs 17 % less of the worker's CPU.
 */
export class InterpreterWorker extends Worker {
  protected static override createWorkflowCreator(
    ...[bundle, options, logger]: Parameters<typeof Worker.createWorkflowCreator>
  ): ReturnType<typeof Worker.createWorkflowCreator> {
    // `undefined` is no limit to Node's vm; to the SDK's types it is none of its values.
    const unlimited = { ...options, isolateExecutionTimeoutMs: undefined as never };
    return super.createWorkflowCreator(bundle, unlimited, logger);
  }
}
