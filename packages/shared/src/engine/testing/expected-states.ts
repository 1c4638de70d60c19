import type { Edge, WorkflowDefinitionDocument } from "../../contracts/definition.ts";
import type { Json, JsonObject } from "../../contracts/json.ts";
import type { StepState } from "../advance.ts";
import { evaluateCondition } from "../conditions.ts";
import type { Scope, StepView } from "../path.ts";
import { resolveReferences } from "../references.ts";

/** The run that all properties are about. */
export const RUN = { id: "cbwr_1", workflow_name: "sweep", started_at: 0 };

/** A state that does not change any more. */
export type Settled = Exclude<StepState, { status: "running" }>;

/** A definition and what each of its components would do if it ran. */
export interface World {
  document: WorkflowDefinitionDocument;
  input: JsonObject;
  outcomes: ReadonlyMap<string, Settled>;
}

const FOLLOWED: Record<Edge["on"], readonly string[]> = {
  success: ["success"],
  failure: ["failed"],
  always: ["success", "failed"],
};

/** Whether one of the failures ends the run: nothing lets it go on, and no edge is taken; or it is of `fail`. */
export function isEndedByFailure(world: World): boolean {
  const { states, scope } = settle(world);
  return world.document.components.some(
    ({ key, action, next, on_failure: onFailure }) =>
      states.get(key)?.status === "failed" &&
      (action === "fail" ||
        (onFailure === "fail_run" &&
          next.every(
            ({ on, when }) =>
              on === "success" || (when !== undefined && !evaluateCondition(when, scope).holds),
          ))),
  );
}

/** The steps of a run in which no failure ends anything. */
export function expectedStates(world: World): Map<string, Settled> {
  return settle(world).states;
}

function isItemList(value: Json): boolean {
  return Array.isArray(value) && value.length <= 10_000;
}

/** Messages are compared elsewhere. */
function refusal(key: string): Settled {
  return { status: "failed", message: `refused ${key}` };
}

/** The rules restated, as plain recursion over a finished run in which no failure ends anything. */
function settle({ document, input, outcomes }: World): {
  states: Map<string, Settled>;
  scope: Scope;
} {
  /** Null: dead, so without a step. */
  const found = new Map<string, Settled | null>();
  const steps = new Map<string, StepView>();
  const scope = { input, run: RUN, steps };
  const stateOf = (key: string): Settled | null => {
    const known = found.get(key);
    if (known !== undefined) return known;
    const edges = document.components.flatMap((source) =>
      source.next.filter(({ to }) => to === key).map((edge) => ({ source: source.key, edge })),
    );
    const decided = edges.map(({ source, edge: { on, when } }) => {
      if (!FOLLOWED[on].includes(stateOf(source)?.status ?? "dead")) return "untaken";
      return when === undefined || evaluateCondition(when, scope).holds ? "taken" : "unmet";
    });
    const taken = edges.length === 0 || decided.includes("taken");
    const component = document.components.find((each) => each.key === key);
    // A `for_each` only needs its list here; each item's `with` is its own matter.
    const needed = resolveReferences(component?.for_each ?? component?.with ?? {}, scope);
    const skipped = taken || decided.includes("unmet") ? ({ status: "skipped" } as const) : null;
    const isRefused = component?.for_each !== undefined && needed.ok && !isItemList(needed.value);
    const outcome = isRefused ? refusal(key) : (outcomes.get(key) ?? null);
    const state = taken && needed.ok ? outcome : skipped;
    found.set(key, state);
    if (state?.status === "failed") steps.set(key, { status: "failed", output: null });
    else if (state !== null) steps.set(key, state);
    return state;
  };
  const states = new Map<string, Settled>();
  for (const { key } of document.components) {
    const state = stateOf(key);
    if (state !== null) states.set(key, state);
  }
  return { states, scope };
}
