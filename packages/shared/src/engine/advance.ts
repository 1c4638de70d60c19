import type { ComponentDefinition, Edge } from "../contracts/definition.ts";
import type { Json } from "../contracts/json.ts";
import { clipMessage } from "../storable-text.ts";
import type { CompiledComponent, CompiledDefinition } from "./compile-definition.ts";
import { evaluateCondition } from "./conditions.ts";
import type { Scope, StepView } from "./path.ts";
import { FAIL } from "./engine-actions.ts";
import { explainMissing, prepareComponent, type ReadyComponent } from "./prepare-component.ts";
import type { HasChange } from "./rule-change.ts";

/** What is known about a component that was started or skipped. */
export type StepState =
  | { status: "running" }
  | { status: "success"; output: Json }
  | { status: "failed"; message: string }
  | { status: "skipped" };

/** What expressions see of the run itself. */
export interface RunScope extends Omit<Scope, "steps"> {
  /** Absent: the run follows every change. */
  hasChange?: HasChange;
}

/** How a run ends. */
export type RunOutcome =
  | { status: "completed" }
  | { status: "failed"; code: "component_failed" | "workflow_failed"; message: string };

/** What to do next. */
export interface Decision {
  /** Components to start now. */
  ready: ReadyComponent[];
  /** Components that cannot start, and why: their steps fail. */
  refused: { component: ComponentDefinition; message: string }[];
  /** Components that get a skipped step, and why. The rest of the decision takes them into account. */
  skipped: { component: ComponentDefinition; message: string }[];
  /** How the run ends, or null while it goes on. A failed run starts and skips nothing further. */
  outcome: RunOutcome | null;
}

/** Where a component stands; `dead` ones get no step, `open` ones are running, ready or undecided. */
type Standing = "success" | "failed" | "skipped" | "dead" | "open";

/**
 * Decides what comes next in a run: everything that can be decided from `states`, in one call. A pure
 * function: replaying a run's outcomes in their order gives the same decisions. Components that have a
 * state are never returned again.
 *
 * @param states by component key. The caller adds what was returned: ready ones as `running`, skipped
 *   ones as `skipped`.
 */
export function advance(
  definition: CompiledDefinition,
  run: RunScope,
  states: ReadonlyMap<string, StepState>,
): Decision {
  const { hasChange = () => true, ...seen } = run;
  const steps = toStepViews(states);
  const scope: Scope = { ...seen, steps };
  const failure = findFailure(definition, states, scope);
  if (failure !== null) return { ready: [], refused: [], skipped: [], outcome: failure };
  const decision: Decision = { ready: [], refused: [], skipped: [], outcome: null };
  const standings = new Map<string, Standing>();
  for (const compiled of definition.ordered) {
    const { key } = compiled.component;
    const state = states.get(key);
    const standing =
      state === undefined
        ? decide(compiled, { standings, scope, steps, decision, hasChange })
        : state.status === "running"
          ? "open"
          : state.status;
    standings.set(key, standing);
  }
  if (![...standings.values()].includes("open")) decision.outcome = { status: "completed" };
  return decision;
}

function toStepViews(states: ReadonlyMap<string, StepState>): Map<string, StepView> {
  const views = new Map<string, StepView>();
  for (const [key, state] of states) {
    const { status } = state;
    if (status === "success") views.set(key, { status, output: state.output });
    else if (status === "failed") views.set(key, { status, output: null });
    else if (status === "skipped") views.set(key, { status });
  }
  return views;
}

/**
 * A failure ends the run unless its component lets the run continue or an edge is taken on it. The action
 * `fail` always ends the run: that is its purpose.
 */
function findFailure(
  { components }: CompiledDefinition,
  states: ReadonlyMap<string, StepState>,
  scope: Scope,
): RunOutcome | null {
  for (const { key, action, next, on_failure: onFailure } of components) {
    const state = states.get(key);
    if (state?.status !== "failed") continue;
    if (action === FAIL) {
      const message = clipMessage(state.message);
      return { status: "failed", code: "workflow_failed", message };
    }
    if (onFailure === "continue") continue;
    if (isTaken(state, next, { states, scope })) continue;
    const message = clipMessage(`Component '${key}' failed: ${state.message}`);
    return { status: "failed", code: "component_failed", message };
  }
  return null;
}

/** Whether an edge takes a failure: for each run, by its states, what is known of its failed steps. */
const known = new WeakMap<ReadonlyMap<string, StepState>, Map<StepState, boolean>>();

/**
 * Asked once for each failure of a run: all that its edges may read is final, and their conditions may cost much.
 * Without that, every decision of the run would evaluate them again.
 */
function isTaken(failed: StepState, next: readonly Edge[], { states, scope }: Failures): boolean {
  const ofRun = known.get(states) ?? new Map<StepState, boolean>();
  known.set(states, ofRun);
  const isOneTaken = ofRun.get(failed) ?? next.some((edge) => follow(edge, "failed", scope).taken);
  ofRun.set(failed, isOneTaken);
  return isOneTaken;
}

interface Failures {
  states: ReadonlyMap<string, StepState>;
  scope: Scope;
}

interface Deciding {
  standings: ReadonlyMap<string, Standing>;
  scope: Scope;
  /** The scope's; what is decided here is added. */
  steps: Map<string, StepView>;
  decision: Decision;
  hasChange: HasChange;
}

/** Decides a component without a state, as far as everything before it is decided. */
function decide({ component, incoming }: CompiledComponent, deciding: Deciding): Standing {
  const { standings, scope } = deciding;
  let taken = incoming.length === 0;
  const unmet: (() => string)[] = [];
  for (const { from } of incoming) {
    if (standings.get(from) === "open") return "open";
  }
  for (const { from, edge } of incoming) {
    const followed = follow(edge, standings.get(from) ?? "dead", scope);
    taken ||= followed.taken;
    const { unmet: explain } = followed;
    if (explain !== null) unmet.push(() => `after '${from}': ${explain()}`);
  }
  if (taken) return start(component, deciding);
  if (unmet.length === 0) return "dead";
  const reasons = unmet.map((explain) => explain()).join("; ");
  return skip(component, `Condition not met ${reasons}`, deciding);
}

function skip(
  component: ComponentDefinition,
  reason: string,
  { steps, decision, hasChange }: Deciding,
): "skipped" {
  decision.skipped.push({ component, message: clipMessage(reason) });
  steps.set(component.key, toSkippedNow(hasChange));
  return "skipped";
}

/** Those that come after it are decided in the same call; what they start with may be read later still. */
function toSkippedNow(hasChange: HasChange): StepView {
  return {
    get status() {
      return hasChange("status-of-a-step-just-skipped") ? "skipped" : undefined;
    },
  };
}

function start(component: ComponentDefinition, deciding: Deciding): Standing {
  const { decision, scope, hasChange } = deciding;
  const prepared = prepareComponent(component, scope, hasChange);
  if (prepared.missing !== undefined) {
    return skip(component, explainMissing(prepared.missing), deciding);
  }
  if (prepared.refusal === undefined) decision.ready.push({ component, ...prepared });
  else decision.refused.push({ component, message: prepared.refusal });
  return "open";
}

interface Followed {
  taken: boolean;
  /** Explains the condition that did not hold, if it was evaluated. */
  unmet: (() => string) | null;
}

/** Whether the edge is taken from a component with this standing. */
function follow({ on, when }: Edge, source: Standing, scope: Scope): Followed {
  const matches =
    source === "success" ? on !== "failure" : source === "failed" ? on !== "success" : false;
  if (!matches || when === undefined) return { taken: matches, unmet: null };
  const { holds, explain } = evaluateCondition(when, scope);
  return { taken: holds, unmet: holds ? null : explain };
}
