import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { RunIdentity } from "@truerun/shared/contracts/run-requested-event";
import { RUN_WORKFLOW } from "@truerun/shared/engine/engine-actions";
import { toOneLine } from "@truerun/shared/storable-text";
import { patched } from "@temporalio/workflow";
import { ExternalCheckTurns } from "./external-check-turns.ts";
import { CHILD_RUNS_TAKEN_OVER } from "./patches.ts";
import { Reviews } from "./reviews.ts";
import { StepBudget } from "./step-budget.ts";
import type { StepRecorder } from "./step-recorder.ts";

/** One step to run: a component, or a component for one item. */
export interface Step {
  /** The component's key; `key[3]` for an item. */
  key: string;
  component: ComponentDefinition;
  /** The component's `with`, its references resolved. */
  input: JsonObject;
  /** The input's size as JSON. */
  bytes: number;
}

/** What the steps of one workflow execution share. */
export interface StepContext {
  run: RunIdentity;
  recorder: StepRecorder;
  budget: StepBudget;
  reviews: Reviews;
  checks: ExternalCheckTurns;
  /** Child workflows under way: when they are canceled, they take their own time to clean up. */
  children: number;
  /** Whether child runs are run as batches are (`run-child.ts`); false in histories from before they were. */
  takesOverChildRuns: boolean;
}

/** How long a canceled component may clean up before its workflow ends without its answer. */
export const CANCEL_GRACE_MS = 10_000;

/** For a workflow execution, as it begins. */
export function createStepContext(
  run: RunIdentity,
  recorder: StepRecorder,
  components: readonly ComponentDefinition[],
): StepContext {
  const makesRuns = components.some(({ action }) => action === RUN_WORKFLOW);
  return {
    run,
    recorder,
    budget: new StepBudget(),
    reviews: new Reviews(),
    checks: new ExternalCheckTurns(components),
    children: 0,
    takesOverChildRuns: makesRuns && patched(CHILD_RUNS_TAKEN_OVER),
  };
}

/** The step's name in Temporal Web UI, and what more there is to say about it. */
export function summaryOf({ key, component }: Pick<Step, "key" | "component">, more = ""): string {
  const place = key === component.key ? "" : ` ${key.slice(component.key.length)}`;
  const name = `${toOneLine(component.name, place.length)}${place}`;
  return more === "" ? name : toOneLine(`${name}: ${more}`);
}
