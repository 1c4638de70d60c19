// The order of what runs inside a workflow task. It depends on nothing but what the history holds.
import { utf8Bytes } from "@truerun/shared/storable-text";
import { CancellationScope, condition, sleep, workflowInfo } from "@temporalio/workflow";
import { MAX_LOCAL_BYTES } from "../local-attempt.ts";

/**
 * How long all attempts of one task but the last may take together: with it, the task still ends before it has
 * to be renewed (at 8 of its 10 s). It is also what is done again when a worker dies.
 */
const MAX_TASK_MS = 2_500;
/** What an attempt takes besides its own time: the workflow's turn, and the mirror's. */
const ATTEMPT_OVERHEAD_MS = 20;
/**
 * Byte limit for one task's results: with what is scheduled beside them, and the names around it all, less than
 * the 4 MiB of one message.
 */
const MAX_TASK_BYTES = 1536 * 1024;
/** After this many rounds, everything that came in the same activation has had its effect. */
const ROUNDS = 4;

/**
 * Lets local activities run one after another. A replay gives the workflow all those that ended in one task
 * together, so at another time, and with their effects in another order, than when they ran. One at a time,
 * each comes alone, as it did then.
 */
export class LocalTurns {
  #last: Promise<void> = Promise.resolve();
  #spentMs = 0;
  #bytes = 0;

  /** Runs `attempt` when its turn comes. It may reject at once when its scope is canceled. */
  async take<T>(attempt: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let pass = (): void => undefined;
    this.#last = new Promise((resolve) => {
      pass = resolve;
    });
    await before;
    try {
      if (this.#isTaskFull()) await this.#endTask();
      return await this.#account(attempt);
    } finally {
      pass();
    }
  }

  #isTaskFull(): boolean {
    return this.#spentMs >= MAX_TASK_MS || this.#bytes + MAX_LOCAL_BYTES > MAX_TASK_BYTES;
  }

  /** Nothing runs inside the task now, so the timer's command is its last. */
  async #endTask(): Promise<void> {
    await sleep(1, { summary: "Ends the workflow task" });
    this.#spentMs = 0;
    this.#bytes = 0;
  }

  async #account<T>(attempt: () => Promise<T>): Promise<T> {
    const { historyLength: task } = workflowInfo();
    let tookMs: number | null = null;
    try {
      const result = await attempt();
      tookMs = readDuration(result);
      this.#bytes += utf8Bytes(JSON.stringify(result ?? null));
      return result;
    } finally {
      // How long a failed attempt took is not known here; failures are rare, so it uses up the task.
      this.#spentMs += (tookMs ?? MAX_TASK_MS) + ATTEMPT_OVERHEAD_MS;
      if (workflowInfo().historyLength !== task) await afterTheOthers();
    }
  }
}

/** The duration that an attempt's result tells; null where it tells none. */
function readDuration(result: unknown): number | null {
  if (typeof result !== "object" || result === null) return null;
  const { started_at_ms: startedAt, finished_at_ms: finishedAt } = result as Record<
    string,
    unknown
  >;
  return typeof startedAt === "number" && typeof finishedAt === "number"
    ? Math.max(0, finishedAt - startedAt)
    : null;
}

/**
 * Lets what else came in this activation have its effect first. The task of a worker that was held up may be
 * renewed during an attempt: what Temporal tells the new task comes before the attempt's end, but together with
 * it in a replay. In the task that the attempt began in, nothing else comes with its end.
 */
async function afterTheOthers(): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      let looks = 0;
      await condition(() => looks++ > 0);
    }
  });
}
