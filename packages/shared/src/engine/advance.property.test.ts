import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Condition,
  type Edge,
  MAX_ITEMS,
  type WorkflowDefinitionDocument,
} from "../contracts/definition.ts";
import type { Json, JsonObject } from "../contracts/json.ts";
import { advance, type Decision, type RunOutcome, type StepState } from "./advance.ts";
import { compileDefinition } from "./compile-definition.ts";
import type { ReadyComponent } from "./prepare-component.ts";
import {
  expectedStates,
  isEndedByFailure,
  RUN,
  type Settled,
  type World,
} from "./testing/expected-states.ts";

const RUNS = { numRuns: 500 };
const MAX_COMPONENTS = 10;

const edgePlan = fc.record({
  exists: fc.boolean(),
  on: fc.constantFrom("success", "failure", "always"),
  when: fc.constantFrom("none", "none", "input", "source", "not", "status"),
});
const componentPlan = fc.record({
  action: fc.constantFrom("transform", "transform", "transform", "wait", "fail"),
  fails: fc.boolean(),
  output: fc.integer({ min: 0, max: 3 }),
  continues: fc.boolean(),
  reads: fc.constantFrom(
    "nothing",
    "nothing",
    "upstream",
    "upstream or default",
    "status",
    "status or default",
    "status or default",
  ),
  forEach: fc.constantFrom("no", "no", "literal", "upstream", "no list", "nothing", "too many"),
  edges: fc.array(edgePlan, { minLength: MAX_COMPONENTS, maxLength: MAX_COMPONENTS }),
});
const world: fc.Arbitrary<World> = fc
  .record({
    plans: fc.array(componentPlan, { minLength: 1, maxLength: MAX_COMPONENTS }),
    input: fc.record({ n: fc.integer({ min: 0, max: 3 }) }),
    seed: fc.infiniteStream(fc.nat(1_000)),
  })
  .map(({ plans, input, seed }) => build(plans, input, seed));

type ComponentPlan = typeof componentPlan extends fc.Arbitrary<infer T> ? T : never;

/** Edges lead from earlier plans to later ones, so the graph is acyclic; the document is shuffled. */
function build(plans: ComponentPlan[], input: JsonObject, seed: Iterator<number>): World {
  const key = (index: number): string => `k${index}`;
  const components = plans.map((plan, index) => {
    const sources = plans.flatMap((source, from) =>
      from < index && source.edges[index - from - 1]?.exists === true ? [key(from)] : [],
    );
    const read = sources[plan.output % Math.max(1, sources.length)] ?? null;
    const next = plan.edges.flatMap(({ exists, on, when }, offset): Edge[] => {
      const target = index + 1 + offset;
      if (!exists || target >= plans.length) return [];
      const upstream = sources[target % Math.max(1, sources.length)] ?? key(index);
      const condition = toCondition(when, key(index), upstream);
      const edge = { to: key(target), on };
      return [condition === null ? edge : { ...edge, when: condition }];
    });
    return {
      id: `cbwc_${index}`,
      key: key(index),
      name: key(index),
      action: plan.action,
      with: toWith(plan.reads, read),
      ...toForEach(plan.forEach, read),
      next,
      timeout: "30s",
      retry: {
        max_attempts: 1,
        initial_interval: "1s",
        backoff_coefficient: 2,
        max_interval: "1s",
      },
      on_failure: plan.continues ? ("continue" as const) : ("fail_run" as const),
    };
  });
  const outcomes = new Map(
    plans.map(({ action, fails, output }, index): [string, Settled] => [
      key(index),
      fails || action === "fail"
        ? { status: "failed", message: "boom" }
        : { status: "success", output: { v: output, list: Array.from({ length: output }) } },
    ]),
  );
  const order = components.map((component) => ({ component, rank: Number(seed.next().value) }));
  const shuffled = order.toSorted((a, b) => a.rank - b.rank).map(({ component }) => component);
  return { document: { description: "", timeout: "30d", components: shuffled }, input, outcomes };
}

function toCondition(kind: string, source: string, upstream: string): Condition | null {
  if (kind === "none") return null;
  if (kind === "status") return { path: `steps.${upstream}.status`, op: "eq", value: "skipped" };
  if (kind === "input") return { path: "input.n", op: "gte", value: 2 };
  const own: Condition = { path: `steps.${source}.output.v`, op: "lt", value: 2 };
  return kind === "source" ? own : { all: [{ not: own }, { path: "input.n", op: "exists" }] };
}

function toWith(reads: string, source: string | null): JsonObject {
  if (reads === "nothing" || source === null) return {};
  const suffix = reads.endsWith("default") ? " | default(9)" : "";
  const field = reads.startsWith("status") ? "status" : "output.v";
  return { v: `\${{ steps.${source}.${field}${suffix} }}` };
}

/** A literal list has numbers as items; an output's list has holes (null). */
function toForEach(kind: string, source: string | null): { for_each?: string | Json[] } {
  switch (kind) {
    case "literal":
      return { for_each: [1, "${{ input.n }}", 3] };
    case "upstream":
      return { for_each: source === null ? [] : `\${{ steps.${source}.output.list }}` };
    case "no list":
      return { for_each: "${{ input }}" };
    case "nothing":
      return { for_each: "${{ input.nothing }}" };
    case "too many":
      return { for_each: Array.from({ length: MAX_ITEMS + 1 }, () => 0) };
    default:
      return {};
  }
}

interface Trace {
  outcome: RunOutcome;
  states: Map<string, StepState>;
  /** What was returned with each component: its resolved `with` (of each item), or why it did not start. */
  given: Map<string, unknown>;
}

/** Drives a run to its end; `schedule` picks which running components settle next, and how many at once. */
function drive({ document, input, outcomes }: World, schedule: Iterator<number>): Trace {
  const definition = compileDefinition(document);
  const states = new Map<string, StepState>();
  const given = new Map<string, unknown>();
  for (let calls = 0; calls <= 2 * document.components.length; calls++) {
    const frozen = structuredClone(states);
    const decision = advance(definition, { input, run: RUN }, states);
    expect(states).toEqual(frozen);
    expect(withoutCode(advance(definition, { input, run: RUN }, states))).toEqual(
      withoutCode(decision),
    );
    for (const { component, message } of decision.skipped) {
      give(component.key, { message }, { status: "skipped" });
    }
    for (const { component, message } of decision.refused) {
      expect(message).toMatch(/`for_each`/);
      const state: Settled = { status: "failed", message: `refused ${component.key}` };
      give(component.key, { message }, state);
    }
    for (const ready of decision.ready) {
      assertWaited(document, ready.component.key, states);
      give(ready.component.key, toGiven(ready), { status: "running" });
    }
    if (decision.refused.length > 0) continue;
    if (decision.outcome !== null) {
      expect(decision.ready).toEqual([]);
      if (decision.outcome.status === "failed") expect(decision.skipped).toEqual([]);
      return { outcome: decision.outcome, states, given };
    }
    settleSome(states, outcomes, schedule);
  }
  throw new Error("The run does not end");

  function give(key: string, what: unknown, state: StepState): void {
    expect(states.has(key)).toBe(false);
    states.set(key, state);
    given.set(key, what);
  }
}

/** The `with` of a component, or of each of its items. */
function toGiven(ready: ReadyComponent): unknown {
  const { items } = ready;
  if (items === undefined) return { resolved: ready.with };
  return Array.from({ length: items.count }, (_, index) => items.resolve(index));
}

function withoutCode(decision: Decision): unknown {
  return { ...decision, ready: decision.ready.map(toGiven) };
}

/** Lets one to three of the running components end before the reducer is asked again. */
function settleSome(
  states: Map<string, StepState>,
  outcomes: ReadonlyMap<string, Settled>,
  schedule: Iterator<number>,
): void {
  const pick = (): number => Number(schedule.next().value);
  const running = [...states].flatMap(([key, { status }]) => (status === "running" ? [key] : []));
  if (running.length === 0) throw new Error("Nothing runs, nothing was ready, yet the run goes on");
  for (let left = 1 + (pick() % 3); left > 0 && running.length > 0; left--) {
    const [key = ""] = running.splice(pick() % running.length, 1);
    const outcome = outcomes.get(key);
    if (outcome === undefined) throw new Error(`'${key}' is no component`);
    states.set(key, outcome);
  }
}

/** Nothing that leads here, however far, is running or may still start. */
function assertWaited(
  document: WorkflowDefinitionDocument,
  key: string,
  states: ReadonlyMap<string, StepState>,
): void {
  const sources = document.components.filter(({ next }) => next.some(({ to }) => to === key));
  for (const source of sources) expect(states.get(source.key)?.status).not.toBe("running");
  if (sources.length > 0) expect(sources.some((source) => states.has(source.key))).toBe(true);
}

function failedActions({ document }: World, states: ReadonlyMap<string, StepState>): string[] {
  return document.components.flatMap(({ key, action }) =>
    states.get(key)?.status === "failed" ? [action] : [],
  );
}

const schedule = fc.infiniteStream(fc.nat(1_000));

// Each takes seconds of computing, even on an idle machine.
describe("whatever the graph, the outcomes and their order", { timeout: 60_000 }, () => {
  test("a run ends, runs nothing twice, and nothing before what it waits for", () => {
    fc.assert(
      fc.property(world, schedule, (each, order) => {
        drive(each, order);
      }),
      RUNS,
    );
  });

  test("a run that no failure ends has exactly the steps that the rules give, in any order", () => {
    const lenient = world.map((each) => ({
      ...each,
      document: {
        ...each.document,
        components: each.document.components.map((component) => ({
          ...component,
          // Nothing lets a run go on after the action `fail`.
          action: "transform",
          on_failure: "continue" as const,
        })),
      },
    }));
    fc.assert(
      fc.property(lenient, schedule, schedule, (each, order, otherOrder) => {
        const one = drive(each, order);
        const other = drive(each, otherOrder);
        expect(one.outcome).toEqual({ status: "completed" });
        expect(other.outcome).toEqual(one.outcome);
        expect(other.states).toEqual(one.states);
        expect(other.given).toEqual(one.given);
        expect(one.states).toEqual(expectedStates(each));
      }),
      RUNS,
    );
  });

  test("whether a failure ends the run does not depend on the order, nor does any outcome seen", () => {
    fc.assert(
      fc.property(world, schedule, schedule, (each, order, otherOrder) => {
        const one = drive(each, order);
        const other = drive(each, otherOrder);
        expect(other.outcome.status).toBe(one.outcome.status);
        expect(one.outcome.status).toBe(isEndedByFailure(each) ? "failed" : "completed");
        for (const { outcome, states } of [one, other]) {
          if (outcome.status === "failed" && outcome.code === "workflow_failed") {
            expect(failedActions(each, states)).toContain("fail");
          }
        }
        // Which steps a failing run still had depends on the order; their states do not.
        const full = expectedStates(each);
        for (const [key, state] of [...one.states, ...other.states]) {
          expect(full.has(key)).toBe(true);
          if (state.status !== "running") expect(state).toEqual(full.get(key));
        }
        for (const [key, what] of one.given) {
          if (other.given.has(key)) expect(other.given.get(key)).toEqual(what);
        }
        if (one.outcome.status === "completed") expect(other.states).toEqual(one.states);
      }),
      RUNS,
    );
  });
});
