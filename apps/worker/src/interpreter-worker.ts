import { Worker } from "@temporalio/worker";

/**
 * The SDK's worker without its time limit for workflow code, which is 5 s: the interpreter takes longer when tens of
 * large outputs come in together. Code that is interrupted can crash the whole process ("async hook stack has become
 * corrupted", or a segmentation fault), and then every other worker's, as the task is tried again. The interpreter
 * runs no code of others and always comes to an end.
 *
 * An option that the SDK's types do not show, `isolateExecutionTimeout`, can raise the limit but not remove it. For
 * any limit Node starts a thread and waits for its end, at each of the 18 entries into the sandbox that a run of
 * three steps makes. Without a limit, such a run of local steps costs 17 % less of the worker's CPU.
 */
export class InterpreterWorker extends Worker {
  protected static override createWorkflowCreator(
    ...[bundle, options, logger]: Parameters<typeof Worker.createWorkflowCreator>
  ): ReturnType<typeof Worker.createWorkflowCreator> {
    // Node's vm takes `undefined` for no limit; the SDK's types do not allow it.
    const unlimited = { ...options, isolateExecutionTimeoutMs: undefined as never };
    return super.createWorkflowCreator(bundle, unlimited, logger);
  }
}
