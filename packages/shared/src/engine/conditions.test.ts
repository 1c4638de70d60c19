import { expect, test } from "vitest";
import type { Condition, ConditionOp } from "../contracts/definition.ts";
import type { Json, JsonObject } from "../contracts/json.ts";
import { evaluateCondition } from "./conditions.ts";

const SCOPE = {
  input: { n: 50, s: "hello", nil: null, yes: true, list: [1, { a: [2] }], obj: { a: 1, b: [2] } },
  run: { id: "cbwr_1", workflow_name: "sweep", started_at: 0 },
  steps: new Map([["a", { status: "failed", output: null }]]),
};

function leaf(path: string, op: ConditionOp, value?: Json): Condition {
  return value === undefined ? { path, op } : { path, op, value };
}

function holds(condition: Condition): boolean {
  return evaluateCondition(condition, SCOPE).holds;
}

test.each<[string, ConditionOp, Json | undefined, boolean]>([
  ["input.n", "eq", 50, true],
  ["input.n", "eq", "50", false],
  ["input.nil", "eq", null, true],
  ["input.nil", "eq", false, false],
  ["input.obj", "eq", { b: [2], a: 1 }, true],
  ["input.obj", "eq", { a: 1 }, false],
  ["input.list", "eq", [1, { a: [2] }], true],
  ["input.none", "eq", null, false],
  ["input.n", "ne", 51, true],
  ["input.n", "ne", 50, false],
  ["input.n", "ne", "50", true],
  ["input.none", "ne", 50, true],
  ["input.none", "ne", null, true],
  ["input.n", "gt", 49, true],
  ["input.n", "gt", 50, false],
  ["input.n", "gte", 50, true],
  ["input.n", "lt", 50, false],
  ["input.n", "lte", 50, true],
  ["input.n", "lt", "9", false],
  ["input.s", "lt", "help", true],
  ["input.s", "gte", "hello", true],
  ["input.s", "gt", 1, false],
  ["input.yes", "gt", false, false],
  ["input.nil", "gte", 0, false],
  ["input.none", "lt", 1, false],
  ["input.none", "lte", 1, false],
  ["input.n", "in", [1, 50], true],
  ["input.n", "in", ["50"], false],
  ["input.obj", "in", [{ b: [2], a: 1 }], true],
  ["input.none", "in", [null], false],
  ["input.s", "contains", "ell", true],
  ["input.s", "contains", "", true],
  ["input.s", "contains", 1, false],
  ["input.list", "contains", 1, true],
  ["input.list", "contains", { a: [2] }, true],
  ["input.list", "contains", "1", false],
  ["input.obj", "contains", "a", false],
  ["input.none", "contains", "a", false],
  ["input.s", "starts_with", "he", true],
  ["input.s", "starts_with", "el", false],
  ["input.n", "starts_with", "5", false],
  ["input.nil", "exists", undefined, true],
  ["input.nil", "exists", true, true],
  ["input.nil", "exists", false, false],
  ["input.none", "exists", undefined, false],
  ["input.none", "exists", false, true],
  ["input.constructor", "exists", undefined, false],
  ["steps.a.status", "eq", "failed", true],
])("%s %s %j is %s", (path, op, value, expected) => {
  expect(holds(leaf(path, op, value))).toBe(expected);
});

const YES = leaf("input.n", "eq", 50);
const NO = leaf("input.n", "eq", 1);

test.each<[Condition, boolean, string]>([
  [leaf("input.n", "lte", 10), false, "input.n lte 10 (was 50)"],
  [leaf("input.none", "eq", "x"), false, 'input.none eq "x" (was missing)'],
  [leaf("input.none", "exists"), false, "input.none exists (was missing)"],
  [{ not: YES }, false, "not (input.n eq 50 (was 50))"],
  [{ not: NO }, true, "not (input.n eq 1 (was 50))"],
  [{ all: [YES, NO, leaf("input.s", "eq", 1)] }, false, "input.n eq 1 (was 50)"],
  [{ any: [NO, YES] }, true, "input.n eq 50 (was 50)"],
  [
    { any: [NO, leaf("input.yes", "eq", 0)] },
    false,
    "input.n eq 1 (was 50) and input.yes eq 0 (was true)",
  ],
  [{ all: [] }, true, "all of no conditions"],
  [{ any: [] }, false, "any of no conditions"],
  [
    { all: [YES, { any: [NO, { not: YES }] }] },
    false,
    "input.n eq 1 (was 50) and not (input.n eq 50 (was 50))",
  ],
])("%j", (condition, expected, reason) => {
  const verdict = evaluateCondition(condition, SCOPE);
  expect([verdict.holds, verdict.explain()]).toEqual([expected, reason]);
});

test("a long value is cut", () => {
  const scope = { ...SCOPE, input: { long: "🙂".repeat(1_000) } };
  const reason = evaluateCondition(leaf("input.long", "eq", 1), scope).explain();
  expect(reason).toMatch(/^input\.long eq 1 \(was "(?:🙂)+…\)$/u);
  expect(reason.length).toBeLessThan(150);
});

test("what ends in no message costs no text, and what does a bounded one", () => {
  const list = Array.from({ length: 95_000 }, (_, index) => `s${index}`);
  const keys = Object.fromEntries(list.map((name) => [name, 1]));
  const scope = { ...SCOPE, input: { list, keys } };
  const leaves = Array.from({ length: 3_000 }, (_, n) => [
    leaf("input.list", "exists"),
    leaf("input.list", "eq", [n]),
    leaf("input.keys", "eq", { n }),
    leaf("input.keys", "in", [{}, { n }]),
  ]).flat();
  const before = performance.now();
  const verdict = evaluateCondition({ all: leaves }, scope);
  expect(evaluateCondition({ any: leaves.slice(1).map((not) => ({ not })) }, scope).holds).toBe(
    true,
  );
  expect(verdict.explain()).toMatch(/^input\.list eq \[0\] \(was \["s0","s1",.*…\)$/);
  const shown = evaluateCondition({ any: leaves.filter((each) => !isExists(each)) }, scope);
  expect(shown.holds).toBe(false);
  expect(shown.explain().length).toBeLessThan(9_000 * 200);
  expect(performance.now() - before).toBeLessThan(1_000);
});

function isExists(condition: Condition): boolean {
  return "op" in condition && condition.op === "exists";
}

test("no comparison is quadratic, nor are many with one list", () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n]));
  const empty = Array.from({ length: 100_000 }, (): JsonObject => ({}));
  const objects = Array.from({ length: 100_000 }, (_, n) => ({ n: -n }));
  const scope = { ...SCOPE, input: { many, empty, objects } };
  const before = performance.now();
  expect(evaluateCondition(leaf("input.empty", "contains", many), scope).holds).toBe(false);
  expect(evaluateCondition(leaf("input.many", "in", empty), scope).holds).toBe(false);
  expect(evaluateCondition(leaf("input.empty", "contains", {}), scope).holds).toBe(true);
  const text = { ...SCOPE, input: { text: "a".repeat(1_000_000) } };
  const part = `${"a".repeat(2_000)}b${"a".repeat(200_000)}`;
  expect(evaluateCondition(leaf("input.text", "contains", part), text).holds).toBe(false);
  const asked = Array.from({ length: 3_000 }, (_, n) =>
    leaf("input.objects", "contains", { n: n + 1 }),
  );
  expect(evaluateCondition({ any: asked }, scope).holds).toBe(false);
  expect(performance.now() - before).toBeLessThan(2_000);
});
