// Lets the checks of external steps run one after another.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { RUN_WORKFLOW } from "@truerun/shared/engine/engine-actions";
import { condition, patched } from "@temporalio/workflow";
import { CHECKS_TAKE_TURNS } from "./patches.ts";

/**
 * The turns of one workflow execution's checks. A check keeps its turn in the pauses between its attempts: while the
 * database is away for one it is for all, and a history in which some hundred tried again would soon be full. Each
 * attempt also takes its turn among all local activities (`local-turns.ts`).
 */
export class ExternalCheckTurns {
  /** Whether no other local activity is under way during an attempt. False in histories from before they took turns. */
  readonly areTaken: boolean;
  #isTaken = false;

  constructor(components: readonly ComponentDefinition[]) {
    this.areTaken =
      components.some(isExternal) && (!haveCompany(components) || patched(CHECKS_TAKE_TURNS));
  }

  /** @throws CancelledFailure when it is canceled before its turn */
  take<T>(check: () => Promise<T>): Promise<T> {
    // Without turns, what follows a check must not go on later than it always did.
    return this.areTaken ? this.#inTurn(check) : check();
  }

  async #inTurn<T>(check: () => Promise<T>): Promise<T> {
    while (this.#isTaken) await condition(() => !this.#isTaken);
    this.#isTaken = true;
    try {
      return await check();
    } finally {
      this.#isTaken = false;
    }
  }
}

export function isExternal({ task_queue: taskQueue }: ComponentDefinition): boolean {
  return taskQueue !== undefined;
}

export function isRunWorkflow({ action }: ComponentDefinition): boolean {
  return action === RUN_WORKFLOW;
}

/**
 * Whether two local activities that help the engine may be under way at once: each makes a child run, or is a check of
 * an external step.
 */
export function haveCompany(components: readonly ComponentDefinition[]): boolean {
  const helped = components.filter((each) => isRunWorkflow(each) || isExternal(each));
  return helped.length > 1 || helped[0]?.for_each !== undefined;
}
