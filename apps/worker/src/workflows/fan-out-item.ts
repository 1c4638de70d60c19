import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { explainMissing, type ItemSource } from "@truerun/shared/engine/advance";
import { utf8Bytes } from "@truerun/shared/storable-text";
import { condition } from "@temporalio/workflow";
import { runStep } from "./run-step.ts";
import type { StepContext } from "./step.ts";
import { explainOversize } from "./step-budget.ts";
import { engineOutcome, type StepOutcome } from "./step-recorder.ts";

/** What is to be done about one item: its `with`, or why there is none. */
export type Item = { with: JsonObject; bytes: number } | { skipped: string } | { refused: string };

/** Resolves the `with` of one item. */
export function toItem(items: ItemSource, index: number): Item {
  const resolved = items.resolve(index);
  if (!resolved.ok) return { skipped: explainMissing(resolved.missing) };
  const bytes = utf8Bytes(JSON.stringify(resolved.value));
  const refused = explainOversize(bytes);
  return refused === null ? { with: resolved.value, bytes } : { refused };
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
  // Another item that waited as well may have taken the room by the time that this one goes on.
  while (!budget.fits(item.bytes)) await condition(() => budget.fits(item.bytes));
  budget.schedule(item.bytes);
  return await runStep({ key, component, input: item.with }, context);
}
