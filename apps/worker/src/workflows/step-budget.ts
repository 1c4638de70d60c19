import { condition, workflowInfo } from "@temporalio/workflow";

/** A resolved `with` may have so many bytes; more belongs into a store, by reference. */
export const MAX_WITH_BYTES = 1024 * 1024;
/** What one workflow task may schedule together: Temporal terminates a run whose task is too large. */
export const MAX_SCHEDULED_BYTES = 2 * 1024 * 1024;
/** Activities under way at once; with some thousands a workflow hangs. */
const MAX_PENDING_ACTIVITIES = 200;

/** How long a full workflow task is waited out. */
const ANOTHER_TASK_MS = 1_000;

/** What one workflow execution may have under way, and schedule in one workflow task. */
export class StepBudget {
  #pending = 0;
  #historyLength = 0;
  #scheduledBytes = 0;

  /** Whether an input of so many bytes may still be scheduled in this workflow task. */
  fits(bytes: number): boolean {
    const { historyLength } = workflowInfo();
    if (historyLength !== this.#historyLength) {
      this.#historyLength = historyLength;
      this.#scheduledBytes = 0;
    }
    return this.#scheduledBytes + bytes <= MAX_SCHEDULED_BYTES;
  }

  /** Counts an input that is scheduled in this workflow task. */
  schedule(bytes: number): void {
    if (!this.fits(bytes)) throw new Error("More is scheduled in a workflow task than fits");
    this.#scheduledBytes += bytes;
  }

  /**
   * Counts what will be scheduled, in a workflow task that has room for it.
   *
   * @returns a function that corrects the number of bytes once it is known
   * @throws CancelledFailure when it is canceled before there is room
   */
  async reserve(bytes: number): Promise<(knownBytes: number) => void> {
    const counted = Math.min(bytes, MAX_SCHEDULED_BYTES);
    const hasRoom = () => this.fits(counted);
    // The timer brings another task where nothing else does.
    while (!hasRoom()) await condition(hasRoom, ANOTHER_TASK_MS);
    this.schedule(counted);
    const reservedAt = this.#historyLength;
    return (knownBytes) => {
      const isSameTask = workflowInfo().historyLength === reservedAt;
      if (isSameTask) this.#scheduledBytes += knownBytes - counted;
      else if (this.fits(knownBytes)) this.schedule(knownBytes);
    };
  }

  /**
   * Runs an activity when there is a place for it.
   *
   * @throws CancelledFailure when it is canceled before that
   */
  async whilePending<T>(activity: () => Promise<T>): Promise<T> {
    // Without a wait it has to start in this very turn: waiting changes the order of what is scheduled.
    while (this.#pending >= MAX_PENDING_ACTIVITIES) {
      await condition(() => this.#pending < MAX_PENDING_ACTIVITIES);
    }
    this.#pending++;
    try {
      return await activity();
    } finally {
      this.#pending--;
    }
  }
}

/** Why an input cannot be scheduled at all; null when it can. */
export function explainOversize(bytes: number): string | null {
  if (bytes <= MAX_WITH_BYTES) return null;
  return `The component's resolved input has ${bytes} bytes; ${MAX_WITH_BYTES} are the most.`;
}
