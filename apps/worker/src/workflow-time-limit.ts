/**
 * How long the interpreter may compute at a stretch; the SDK's default is 5 s. Tens of large outputs that
 * come in together take seconds, and what is cut short in there can end the whole process ("async hook
 * stack has become corrupted", or a segmentation fault): every worker's in turn, as the task is tried
 * again. The interpreter holds no code of others and always comes to an end. To be spread into a worker's
 * options: the SDK takes it, but its types do not show it.
 */
export const WORKFLOW_TIME_LIMIT = { isolateExecutionTimeout: "5m" };
