import { MAX_WITH_BYTES } from "@truerun/shared/engine/prepare-component";
import { CancellationScope, condition, patched, sleep, workflowInfo } from "@temporalio/workflow";
import { PLACES_ARE_HANDED_ON } from "./patches.ts";

/** Byte limit for what one workflow task schedules: Temporal terminates a run whose task is too large. */
export const MAX_SCHEDULED_BYTES = 2 * 1024 * 1024;
/** Activities under way at once; with some thousands a workflow hangs. */
const MAX_PENDING_ACTIVITIES = 200;
/** Temporal terminates a run at 50 MiB or 51,200 events; what is under way still has to end before that. */
const MAX_HISTORY_BYTES = 32 * 1024 * 1024;
const MAX_HISTORY_EVENTS = 45_000;

/** How long to wait for another workflow task when one is full. */
const ANOTHER_TASK_MS = 1_000;

/** What one workflow execution may have under way, and schedule in one workflow task. */
export class StepBudget {
  #pending = 0;
  /** Those that wait for a place among the pending ones, the first to come first. */
  readonly #waiting = new Set<{ isFree: boolean }>();
  #historyLength = 0;
  #scheduledBytes = 0;
  #isTaskComing = false;

  /** Why nothing more may be started; null while it may. */
  explainFullHistory(): string | null {
    const { historyLength, historySize } = workflowInfo();
    if (historySize > MAX_HISTORY_BYTES) {
      return `The run's history has ${historySize} bytes; nothing more is started above ${MAX_HISTORY_BYTES}.`;
    }
    if (historyLength > MAX_HISTORY_EVENTS) {
      return `The run's history has ${historyLength} events; nothing more is started above ${MAX_HISTORY_EVENTS}.`;
    }
    return null;
  }

  /** Whether an input of this size may still be scheduled in this workflow task. */
  #fits(bytes: number): boolean {
    const { historyLength } = workflowInfo();
    if (historyLength !== this.#historyLength) {
      this.#historyLength = historyLength;
      this.#scheduledBytes = 0;
    }
    return this.#scheduledBytes + bytes <= MAX_SCHEDULED_BYTES;
  }

  /** Counts an input that is scheduled in this workflow task. @returns false when there is no room for it */
  trySchedule(bytes: number): boolean {
    if (!this.#fits(bytes)) return false;
    this.#scheduledBytes += bytes;
    return true;
  }

  /**
   * Counts an input for which there was no room, in the first workflow task that has some.
   *
   * @throws CancelledFailure when it is canceled before that
   */
  async scheduleLater(bytes: number): Promise<void> {
    while (!this.trySchedule(bytes)) {
      this.#bringTask();
      await condition(() => this.#fits(bytes) || !this.#isTaskComing);
    }
  }

  /** A timer brings another workflow task even if nothing is under way: one for all who wait for it. */
  #bringTask(): void {
    if (this.#isTaskComing) return;
    this.#isTaskComing = true;
    void CancellationScope.nonCancellable(() => sleep(ANOTHER_TASK_MS)).then(() => {
      this.#isTaskComing = false;
    });
  }

  /**
   * Counts what will be scheduled, in a workflow task that has room for it.
   *
   * @returns a function that corrects the number of bytes once it is known
   * @throws CancelledFailure when it is canceled before there is room
   */
  async reserve(bytes: number): Promise<(knownBytes: number) => void> {
    const counted = Math.min(bytes, MAX_SCHEDULED_BYTES);
    if (!this.trySchedule(counted)) await this.scheduleLater(counted);
    const reservedAt = this.#historyLength;
    return (knownBytes) => {
      const isSameTask = workflowInfo().historyLength === reservedAt;
      if (isSameTask) this.#scheduledBytes += knownBytes - counted;
      else this.trySchedule(knownBytes);
    };
  }

  /**
   * Runs an activity when there is a place for it.
   *
   * @throws CancelledFailure when it is canceled before that
   */
  async whilePending<T>(activity: () => Promise<T>): Promise<T> {
    // If it need not wait, it has to start in this very turn, and else in the turn that it is woken in: more turns
    // change the order of what is scheduled. So the old way of waiting stays here.
    if (this.#pending < MAX_PENDING_ACTIVITIES) {
      this.#pending++;
    } else if (patched(PLACES_ARE_HANDED_ON)) {
      await this.#waitForPlace();
    } else {
      while (this.#pending >= MAX_PENDING_ACTIVITIES) {
        await condition(() => this.#pending < MAX_PENDING_ACTIVITIES);
      }
      this.#pending++;
    }
    try {
      return await activity();
    } finally {
      this.#leavePlace();
    }
  }

  /** Waits until a place is handed on to the caller, who has it then. */
  async #waitForPlace(): Promise<void> {
    const place = { isFree: false };
    this.#waiting.add(place);
    try {
      await condition(() => place.isFree);
    } catch (error) {
      this.#waiting.delete(place);
      if (place.isFree) this.#leavePlace();
      throw error;
    }
  }

  /**
   * Only one of those that wait is woken: there may be thousands. Those that waited before the run knew the patch
   * are not among them, and go on when nobody else waits.
   */
  #leavePlace(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#pending--;
    } else {
      this.#waiting.delete(next);
      next.isFree = true;
    }
  }
}

/** Why an input over the limit is not scheduled. */
export function explainOversize(bytes: number): string {
  return `The component's resolved input has ${bytes} bytes; ${MAX_WITH_BYTES} are the most.`;
}
