import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { FAIL } from "@truerun/shared/engine/engine-actions";
import { explainMissing, type ItemSource } from "@truerun/shared/engine/prepare-component";
import { isScheduled, runStep } from "./run-step.ts";
import type { StepContext } from "./step.ts";
import { explainOversize } from "./step-budget.ts";
import { engineOutcome, type StepOutcome } from "./step-outcome.ts";

/** Whether one failed item ends the fan-out. The action `fail` ends its run in any case: that is what it is for. */
export function endsFanOut({ action, on_failure: onFailure }: ComponentDefinition): boolean {
  return onFailure !== "continue" || action === FAIL;
}

/** What is to be done about one item: its `with`, or why there is none. */
export type Item = { with: JsonObject; bytes: number } | { skipped: string } | { refused: string };

/** Resolves the `with` of one item. */
export function toItem(items: ItemSource, index: number): Item {
  const resolved = items.resolve(index);
  if (resolved.ok) return { with: resolved.value, bytes: resolved.bytes };
  return resolved.missing === undefined
    ? { refused: explainOversize(resolved.bytes) }
    : { skipped: explainMissing(resolved.missing) };
}

/**
 * Runs one item to its outcome, which is recorded by then.
 *
 * @throws CancelledFailure when it is canceled before it began; then it has no step
 */
export async function runItem(
  { key, component }: { key: string; component: ComponentDefinition },
  item: Item,
  context: StepContext,
): Promise<StepOutcome> {
  const { recorder, budget } = context;
  if (!("with" in item)) {
    const outcome =
      "skipped" in item
        ? engineOutcome("skipped", item.skipped)
        : engineOutcome("failed", item.refused);
    recorder.close(key, outcome);
    return outcome;
  }
  const step = { key, component, input: item.with, bytes: item.bytes };
  // If it need not wait, it has to start in this very turn: waiting changes the order of what is scheduled.
  const bytes = isScheduled(step) ? step.bytes : 0;
  if (!budget.trySchedule(bytes)) await budget.scheduleLater(bytes);
  return await runStep(step, context);
}
