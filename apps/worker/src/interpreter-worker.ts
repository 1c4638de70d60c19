import { Worker } from "@temporalio/worker";

/**
 * The SDK's worker, whose workflow code may compute for as long as it needs.
 *
 * The SDK's limit of 5 s can only be lengthened, not left out, by an option. Node makes a thread for a limit and waits
 * for its end, at each of the 18 entries into the sandbox that a run of three steps has: without it such a run of
 * local steps costs 17 % less of the worker's CPU. And what is cut short in there can end the whole process ("async hook
 * stack has become corrupted", or a segmentation fault), every worker's in turn, as the task is tried again. The
 * interpreter holds no code of others and always comes to an end.
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
