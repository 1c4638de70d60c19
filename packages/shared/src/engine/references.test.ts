import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../contracts/json.ts";
import { ExpressionSyntaxError, lookUp, parsePath, type Scope } from "./path.ts";
import { utf8Bytes } from "../storable-text.ts";
import {
  MAX_TEXT_LENGTH,
  parseTemplate,
  ResolutionMemory,
  resolveReferences,
} from "./references.ts";

const input: unknown = JSON.parse(
  '{"n":50,"s":"text","nil":null,"list":[{"b":1},[2]],"odd key":{"a.b":3},"ключ":4,"__proto__":{"x":5},"0":"zero","e":""}',
);
const SCOPE: Scope = {
  input: input as JsonObject,
  run: { id: "cbwr_1", workflow_name: "sweep", started_at: 1746576000 },
  steps: new Map([
    ["a", { status: "success", output: { count: 2, vendors: [{ id: "v1" }] } }],
    ["f", { status: "failed", output: null }],
    ["s", { status: "skipped" }],
    ["__proto__", { status: "success", output: 7 }],
  ]),
};

test.each<[string, Json | undefined]>([
  ["input.n", 50],
  ["input.nil", null],
  ["input.list.0.b", 1],
  ["input.list[0].b", 1],
  ["input.list[1][0]", 2],
  ["input.list[ 1 ][0]", 2],
  ["input['odd key'][\"a.b\"]", 3],
  ["input.ключ", 4],
  ["input.__proto__.x", 5],
  ["input[0]", "zero"],
  ["steps.a.output.count", 2],
  ["steps.a.output.vendors[0].id", "v1"],
  ["steps.a.status", "success"],
  ["steps.f.status", "failed"],
  ["steps.f.output", null],
  ["steps.s.status", "skipped"],
  ["steps.__proto__.output", 7],
  ["run.id", "cbwr_1"],
  ["run.workflow_name", "sweep"],
  ["run.started_at", 1746576000],
  ["input.none", undefined],
  ["input.n.none", undefined],
  ["input.nil.none", undefined],
  ["input.constructor", undefined],
  ["input.toString", undefined],
  ["input.list.length", undefined],
  ["input.list.2", undefined],
  ["input.list[0].__proto__", undefined],
  ["input.list.00", undefined],
  ["input.list.-1", undefined],
  ["input.s.0", undefined],
  ["input.s.length", undefined],
  ["steps.s.output", undefined],
  ["steps.none.output", undefined],
  ["steps.constructor.status", undefined],
  ["steps.a.status.length", undefined],
])("%s", (path, value) => {
  expect(lookUp(parsePath(path), SCOPE)).toEqual(value);
});

test.each([
  "",
  " ",
  "input.",
  "input..n",
  "input[",
  "input[x]",
  "input[1",
  "input['a]",
  'input["\\x"]',
  "input.a b",
  "1",
  "env.x",
  "steps",
  "steps.a",
  "steps.a.result",
  "run",
  "run.none",
  "run.id.x",
  "index.x",
  "constructor",
  "input[-1]",
  "input.a | default(1)",
])("'%s' is no path", (path) => {
  expect(() => parsePath(path)).toThrow(ExpressionSyntaxError);
});

describe("templates", () => {
  const resolve = (value: Json): unknown => {
    const resolved = resolveReferences(value, SCOPE);
    return resolved.ok ? resolved.value : { missing: resolved.missing };
  };

  test.each<[string, Json]>([
    ["no reference", "no reference"],
    ["$ {{ input.n }} $x }}", "$ {{ input.n }} $x }}"],
    ["${{ input.n }}", 50],
    ["${{input.n}}", 50],
    ["${{\n input.list[0] \n}}", { b: 1 }],
    ["${{ input.nil }}", null],
    ["${{ input.nil | default(1) }}", null],
    [" ${{ input.n }}", " 50"],
    ["${{ input.s }}/${{ input.n }}!", "text/50!"],
    ["${{ input.e }}${{ input.e }}", ""],
    ["a ${{ input.list }} b ${{ input.nil }}", 'a [{"b":1},[2]] b null'],
    ["${{ input.none | default('d') }}", "d"],
    ["${{ input.none | default('it\\'s \\\\ }} ) ${{ x') }}", "it's \\ }} ) ${{ x"],
    ['${{ input.none|default("a\\n)}}") }}', "a\n)}}"],
    ["${{ input.none | default(null) }}", null],
    ["${{ input.none | default( -1.5e2 ) }}", -150],
    ['${{ input.none | default({"a":["}}",")"]}) }}', { a: ["}}", ")"] }],
    ["x${{ input.none | default(false) }}", "xfalse"],
    ["${{ input.s | default(1) }}", "text"],
  ])("%s", (text, value) => {
    expect(resolve(text)).toEqual(value);
  });

  test.each([
    "${{",
    "${{ }}",
    "${{ input.n",
    "${{ input.n }",
    "${{ input.n || 1 }}",
    "${{ input.n | upper }}",
    "${{ input.n | default() }}",
    "${{ input.n | default(x) }}",
    "${{ input.n | default('x) }}",
    "${{ input.n | default(1 }}",
    "${{ input.n | default(1) | default(2) }}",
    "${{ 1 + 1 }}",
    "a ${{ input.n }} ${{ b }}",
    "${{ ${{ input.n }} }}",
  ])("'%s' is malformed", (text) => {
    expect(() => parseTemplate(text)).toThrow(ExpressionSyntaxError);
  });

  test("reaches into lists and objects, and leaves names and other values alone", () => {
    expect(
      resolve({ "${{ input.n }}": ["${{ input.n }}", { deep: "${{ input.s }}" }], x: true }),
    ).toEqual({
      "${{ input.n }}": [50, { deep: "text" }],
      x: true,
    });
  });

  test("names every reference that leads to nothing, once, as it was written", () => {
    const value = [
      "${{ input.none }}",
      "a ${{input.gone}}",
      { b: "${{ input.none }}" },
      "${{ input.n }}",
    ];
    expect(resolve(value)).toEqual({ missing: ["${{ input.none }}", "${{input.gone}}"] });
  });

  test("a property named __proto__ is built as an ordinary one", () => {
    const value = JSON.parse('{"__proto__":{"polluted":"${{ input.n }}"}}') as JsonObject;
    const resolved = resolve(value);
    expect(JSON.stringify(resolved)).toBe('{"__proto__":{"polluted":50}}');
    expect(Object.getPrototypeOf(resolved)).toBe(Object.prototype);
    expect(resolve("${{ input.__proto__ }}")).toEqual({ x: 5 });
  });

  test("long malformed texts are refused in linear time", () => {
    const before = performance.now();
    for (const text of [
      `\${{ input${"[".repeat(1e5)}`,
      `\${{ input.a | default(${'"\\'.repeat(1e5)}`,
      `\${{${" ".repeat(1e5)}`,
      `\${{ input.${"a".repeat(1e5)} |`,
    ]) {
      expect(() => parseTemplate(text)).toThrow(ExpressionSyntaxError);
    }
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe("the size of what references lead to", () => {
  const large = Array.from({ length: 95_000 }, (_, index) => `s${index}`);
  const input = { large, text: 'é"'.repeat(300_000), odd: "\ud83d" };
  const scope: Scope = { ...SCOPE, input };
  const bytesOf = (value: Json): number => {
    const resolved = resolveReferences(value, scope);
    if (resolved.missing !== undefined) throw new Error("Something is missing");
    return resolved.bytes;
  };

  test.each<[string, Json]>([
    ["a value as it is", { a: [1, "${{ input.large }}", null, true], 'b"': {}, c: "é" }],
    ["a value in a text", ["<${{ input.large }}>", "${{ input.odd }}\ude00"]],
    ["strings", "${{ input.text }}${{ input.odd }}"],
    ["a default", '${{ input.none | default({"a":"é"}) }} and ${{ run.id }}'],
  ])("%s", (_name, value) => {
    const resolved = resolveReferences(value, scope, { maxTextLength: Number.POSITIVE_INFINITY });
    if (!resolved.ok) throw new Error("It is not built");
    expect(resolved.bytes).toBe(utf8Bytes(JSON.stringify(resolved.value)));
    expect(bytesOf(value)).toBe(resolved.bytes);
  });

  test("is known for what no text can hold, at the cost of one look at each value", () => {
    const before = performance.now();
    const one = JSON.stringify(large);
    const values = Array.from({ length: 2_000 }, () => "${{ input.large }}");
    expect(bytesOf(values)).toBe(utf8Bytes(one) * 2_000 + 2_001);
    expect(bytesOf(values.join(""))).toBe(utf8Bytes(JSON.stringify(one)) * 2_000 - 2 * 1_999);
    const text = utf8Bytes(JSON.stringify('é"'.repeat(300_000)));
    const strings = Array.from({ length: 2_000 }, () => "${{ input.text }}");
    expect(bytesOf(strings)).toBe(text * 2_000 + 2_001);
    expect(bytesOf(strings.map((each) => `${each}x`))).toBe((text + 1) * 2_000 + 2_001);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test("is the same for all items of a fan-out, whose resolutions share what they find out", () => {
    const value = {
      text: "${{ input.text }}",
      texts: "${{ input.text }}: ${{ item }}, ${{ input.none | default('none') }}",
      large: ["${{ input.large }}", "${{ item }}"],
    };
    const memory = new ResolutionMemory();
    for (const item of ["é".repeat(2_000), "x", 1, null]) {
      const of = { ...scope, item: { value: item, index: 0 } };
      const alone = resolveReferences(value, of);
      expect(alone.ok).toBe(true);
      expect(resolveReferences(value, of, { memory })).toEqual(alone);
    }
    expect([...memory.templates.keys()]).toEqual([
      value.text,
      value.texts,
      "${{ input.large }}",
      "${{ item }}",
    ]);
    expect([...memory.longStrings.keys()]).toEqual([input.text, "é".repeat(2_000)]);
  });

  test("texts are built up to a limit for all of them", () => {
    const half = "x".repeat(MAX_TEXT_LENGTH / 2);
    const resolve = (value: Json) =>
      resolveReferences(value, { ...SCOPE, input: { half, halves: [half, half] } });
    expect(resolve(["${{ input.half }}${{ input.half }}"])).toMatchObject({ ok: true });
    const long = resolve(["${{ input.half }}${{ input.half }}", "${{ input.none | default(1) }}!"]);
    expect(long).toEqual({ ok: false, bytes: MAX_TEXT_LENGTH + 9 });
    // No text is built for a reference alone.
    expect(resolve(["${{ input.halves }}", "${{ input.halves }}"])).toMatchObject({ ok: true });
    const missing = resolve(["${{ input.half }}${{ input.halves }}", "${{ input.none }}"]);
    expect(missing).toEqual({ ok: false, missing: ["${{ input.none }}"] });
  });
});
