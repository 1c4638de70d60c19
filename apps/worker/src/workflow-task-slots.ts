// Which workflow tasks this process asks Temporal for, and when.
import type { CustomSlotSupplier, SlotPermit, WorkflowSlotInfo } from "@temporalio/worker";
import { forgetOldest } from "@truerun/shared/forget-oldest";

/**
 * Temporal gives each org its turn, but only among the tasks that wait there. While runs queue, the slots bound what
 * waits elsewhere: tasks that this process has taken and not yet handled, and runs that it has begun and that wait for
 * their next task. While none do, they let through what comes: Temporal stores a task that finds no poll.
 */
export interface WorkflowTaskSlots {
  /** What the SDK asks before each poll for a workflow task. */
  supplier: CustomSlotSupplier<WorkflowSlotInfo>;
  /** Call it in an execution's first workflow task, with how long that had waited. */
  began(waitedMs: number): void;
  /** Call it when an execution (by Temporal's run id) has recorded something: its workflow task is here. */
  recorded(runId: string, isEnd: boolean): void;
  /** Call it when an attempt outside a workflow task has succeeded: its execution's next task is due. */
  attemptSucceeded(runId: string): void;
}

/** The two queues that the SDK polls: one for the executions in this process' cache, one that all workers share. */
type Kind = "sticky" | "shared";

/** What is let through at once. */
interface Limits {
  /** While this many tasks are handled, no more are asked for. */
  tasks: number;
  /** Polls under way. What they bring is handled even if the limit on tasks is reached by then. */
  polls: Readonly<Record<Kind, number>>;
  /** No new execution is begun while this many wait for their next task. */
  due: number;
}

/** While runs queue. */
const toStrict = (most: number): Limits => ({
  tasks: most,
  polls: { sticky: 3, shared: 2 },
  due: 2,
});
/** While none do. The moment that a queue forms still finds no more begun than can be worked off at once. */
const toOpen = (most: number): Limits => ({
  tasks: 4 * most,
  polls: { sticky: 5, shared: 5 },
  due: 2 * most,
});
/** Runs count as queueing once one has waited this long for its first workflow task. */
const WAITED_LONG_MS = 500;
/** They stop counting so when none has waited that long for this time. */
const QUEUED_FOR_MS = 5_000;
/** An execution whose task has not come by then got it elsewhere, or was ended. */
const DUE_FOR_MS = 1_000;
/** A poll for new runs is put off for this long at most: runs that have begun may keep a worker busy for days. */
const PATIENCE_MS = 200;
/** Executions known to have their tasks here; beyond this, those that recorded nothing for longest are forgotten. */
const MOST_KNOWN = 10_000;

interface Permit extends SlotPermit {
  kind: Kind;
  isUsed: boolean;
}

interface Waiter {
  isPatient: boolean;
  grant(permit: Permit): void;
}

/** @param most - while runs queue and this many workflow tasks are handled, no more are asked for; else four times as many */
export function createWorkflowTaskSlots(most: number): WorkflowTaskSlots {
  return new BoundedSlots(most);
}

class BoundedSlots implements WorkflowTaskSlots {
  readonly #open: Limits;
  readonly #strict: Limits;
  readonly #polls: Record<Kind, number> = { sticky: 0, shared: 0 };
  readonly #waiting: Record<Kind, Set<Waiter>> = { sticky: new Set(), shared: new Set() };
  readonly #known = new Set<string>();
  /** Executions whose next task is due, each with the timer that forgets it. */
  readonly #due = new Map<string, NodeJS.Timeout>();
  #used = 0;
  /** A new worker may meet what has gathered while there was none. */
  #queuedUntil = performance.now() + QUEUED_FOR_MS;

  constructor(most: number) {
    this.#open = toOpen(most);
    this.#strict = toStrict(most);
  }

  readonly supplier: CustomSlotSupplier<WorkflowSlotInfo> = {
    type: "custom",
    reserveSlot: ({ isSticky }, signal) => this.#reserve(isSticky ? "sticky" : "shared", signal),
    // Eager starts of workflows, which nobody asks for here.
    tryReserveSlot: () => null,
    markSlotUsed: ({ permit }) => {
      const own = permit as Permit;
      own.isUsed = true;
      this.#polls[own.kind] -= 1;
      this.#used += 1;
      this.#grantWhatMay();
    },
    releaseSlot: ({ permit }) => {
      const { isUsed, kind } = permit as Permit;
      if (isUsed) this.#used -= 1;
      else this.#polls[kind] -= 1;
      this.#grantWhatMay();
    },
  };

  began(waitedMs: number): void {
    if (waitedMs > WAITED_LONG_MS) this.#queuedUntil = performance.now() + QUEUED_FOR_MS;
  }

  recorded(runId: string, isEnd: boolean): void {
    this.#known.delete(runId);
    if (!isEnd) {
      this.#known.add(runId);
      forgetOldest(this.#known, MOST_KNOWN);
    }
    this.#settle(runId);
  }

  attemptSucceeded(runId: string): void {
    // The tasks of unknown executions go to other workers.
    if (!this.#known.has(runId) || this.#due.has(runId)) return;
    const forget = setTimeout(() => this.#settle(runId), DUE_FOR_MS);
    this.#due.set(runId, forget.unref());
  }

  /** Its task has come, or will not come. */
  #settle(runId: string): void {
    clearTimeout(this.#due.get(runId));
    if (this.#due.delete(runId)) this.#grantWhatMay();
  }

  #reserve(kind: Kind, signal: AbortSignal): Promise<Permit> {
    // Each call comes from another thread and keeps it waiting.
    if (this.#waiting[kind].size === 0 && this.#mayPoll(kind)) {
      return Promise.resolve(this.#grant(kind));
    }
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const stopWaiting = (): void => {
        clearTimeout(patience);
        signal.removeEventListener("abort", abort);
        this.#waiting[kind].delete(waiter);
      };
      const loseIt = (): void => {
        waiter.isPatient = false;
        this.#grantWhatMay();
      };
      const abort = (): void => {
        stopWaiting();
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        isPatient: true,
        grant(permit) {
          stopWaiting();
          resolve(permit);
        },
      };
      // Only shared polls are put off.
      const patience = kind === "shared" ? setTimeout(loseIt, PATIENCE_MS).unref() : undefined;
      signal.addEventListener("abort", abort);
      this.#waiting[kind].add(waiter);
    });
  }

  #grant(kind: Kind): Permit {
    this.#polls[kind] += 1;
    return { kind, isUsed: false };
  }

  #limits(): Limits {
    return performance.now() < this.#queuedUntil ? this.#strict : this.#open;
  }

  /** Begun executions come first. */
  #grantWhatMay(): void {
    for (const kind of ["sticky", "shared"] as const) {
      for (const waiter of this.#waiting[kind]) {
        if (!this.#mayPoll(kind, waiter.isPatient)) break;
        waiter.grant(this.#grant(kind));
      }
    }
  }

  #mayPoll(kind: Kind, isPatient = true): boolean {
    const { tasks, polls, due } = this.#limits();
    if (this.#used >= tasks || this.#polls[kind] >= polls[kind]) return false;
    return kind === "sticky" || this.#due.size < due || !isPatient;
  }
}
