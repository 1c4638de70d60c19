import { describe, expect, it } from "vitest";
import { toJsonValue } from "./json-value.ts";

describe("toJsonValue", () => {
  it("copies what JSON carries, and drops undefined members", () => {
    const date = new Date(0);
    const value = { a: [1, "x", null, true], b: undefined, c: { d: -1.5 }, date };
    const copy = toJsonValue(value, "output");
    expect(copy).toEqual({ a: [1, "x", null, true], c: { d: -1.5 }, date: date.toJSON() });
    expect(Object.keys(copy as object)).not.toContain("b");
    expect(toJsonValue(undefined, "output")).toBeNull();
    expect(toJsonValue(Object.assign(Object.create(null), { x: 1 }), "output")).toEqual({ x: 1 });
  });

  it("keeps __proto__ as an ordinary key", () => {
    const text = '{"__proto__":{"admin":true},"constructor":1}';
    const copy = toJsonValue(JSON.parse(text), "output");
    expect(JSON.stringify(copy)).toBe(text);
    expect((copy as { admin?: unknown }).admin).toBeUndefined();
  });

  it("allows one object in two places", () => {
    const shared = { x: 1 };
    expect(toJsonValue([shared, shared], "output")).toEqual([{ x: 1 }, { x: 1 }]);
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = { cycle };
  let deep: unknown = 1;
  for (let level = 0; level < 10_000; level += 1) deep = [deep];

  it.each([
    [{ f: () => 1 }, "output.f: a function"],
    [[1, undefined], "output[1]: undefined"],
    [{ a: [Symbol("s")] }, "output.a[0]: a symbol"],
    [{ "a b": 1n }, 'output["a b"]: a BigInt'],
    [{ n: Number.NaN }, "output.n: NaN"],
    [Number.NEGATIVE_INFINITY, "output: -Infinity"],
    [cycle, "output.self.cycle: a reference to what holds it"],
    [{ m: new Map() }, "output.m: an instance of Map"],
    [{ p: Promise.resolve(1) }, "output.p: an instance of Promise"],
    [{ d: new Date(Number.NaN), e: new Error("x") }, "output.e: an instance of Error"],
    [deep, "more than 500 levels"],
    [{ toJSON: () => ({ b: 1n }) }, "output.b: a BigInt"],
  ])("refuses case %#, naming the place", (value, message) => {
    expect(() => toJsonValue(value, "output")).toThrow(message);
  });
});
