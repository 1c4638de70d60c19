import fc from "fast-check";
import { expect, test } from "vitest";
import { advance } from "../engine/advance.ts";
import { compileDefinition } from "../engine/compile-definition.ts";
import { checkDefinition } from "./check-definition.ts";
import type { JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

const SCHEMA = {
  type: "object",
  properties: { n: { anyOf: [{ type: "number" }, { type: "null" }] } },
};
const CATALOGUE = [{ action_type: "t", input_schema: SCHEMA, defaults: null }];

const KEYS = ["a", "b", "c", "__proto__", "constructor"];
const key = fc.constantFrom(...KEYS);
const text = fc.constantFrom(
  "${{ input.n }}",
  "${{ steps.a.output }}",
  "x${{ input[0] | default(1) }}",
  "${{",
  "x",
);
const odd = fc.oneof({ weight: 40, arbitrary: fc.constant(undefined) }, fc.jsonValue());

/** `value`, or occasionally anything at all. */
function mostly<T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.tuple(value, odd).map(([usual, other]) => other ?? usual);
}

const condition = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.record({
      path: mostly(fc.constantFrom("input.n", "steps.a.status", "run.id")),
      op: mostly(fc.constantFrom("eq", "ne", "contains")),
      value: fc.jsonValue(),
    }),
    fc.record({ all: fc.array(tie("node"), { maxLength: 3 }) }),
    fc.record({ not: tie("node") }),
  ),
})).node;
const edge = fc.record({ to: mostly(key), when: condition }, { requiredKeys: ["to"] });
const component = fc.record(
  {
    key: mostly(key),
    action: mostly(fc.constantFrom("t", "t", "t", "t", "t", "u")),
    with: mostly(fc.dictionary(fc.constantFrom("n", "__proto__"), fc.oneof(text, fc.integer()))),
    next: fc.array(mostly(edge), { maxLength: 3 }),
    retry: mostly(fc.record({ max_attempts: fc.integer({ min: 0, max: 20 }) })),
  },
  { requiredKeys: ["key", "action"] },
);
const definition = mostly(fc.record({ components: mostly(fc.array(component, { maxLength: 4 })) }));

function hasPlace(input: unknown, loc: readonly (string | number)[]): boolean {
  let value = input;
  // The last part may name what is missing.
  for (const part of loc.slice(0, -1)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return false;
    value = Array.isArray(value) ? value[Number(part)] : isJsonObject(value) ? value[part] : null;
  }
  return true;
}

// Thousands of definitions take seconds, and more on a busy machine.
test("anything is either refused with real places, or can be run", { timeout: 60_000 }, () => {
  let accepted = 0;
  fc.assert(
    fc.property(definition, fc.dictionary(fc.string(), fc.jsonValue()), (generated, data) => {
      // Through text, so that it is what a request would bring.
      const input: unknown = JSON.parse(JSON.stringify(generated));
      const result = checkDefinition(input, CATALOGUE);
      if (!result.ok) {
        expect(result.faults.length).toBeGreaterThan(0);
        for (const { loc } of result.faults) expect(hasPlace(input, loc)).toBe(true);
        return;
      }
      accepted++;
      const components = result.definition.components.map((each) => ({ id: each.key, ...each }));
      const compiled = compileDefinition({ ...result.definition, components });
      const scope = {
        input: JSON.parse(JSON.stringify(data)) as JsonObject,
        run: { id: "cbwr_1", workflow_name: "w", started_at: 0 },
      };
      const decision = advance(compiled, scope, new Map());
      expect(decision.outcome !== null || decision.ready.length > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(20);
});
