import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../contracts/json.ts";
import { hasMember, isEqual } from "./is-equal.ts";

test("equality looks at own properties only", () => {
  const proto = JSON.parse('{"__proto__":1}') as JsonObject;
  expect(isEqual(proto, proto)).toBe(true);
  expect(isEqual(proto, JSON.parse('{"__proto__":1}') as JsonObject)).toBe(true);
  expect(isEqual(proto, { a: 1 })).toBe(false);
  expect(isEqual({ constructor: 1 }, { a: 1 })).toBe(false);
  expect(isEqual([], {})).toBe(false);
  expect(isEqual([1], [1, 2])).toBe(false);
});

test("a list has the same members however long it is and however often it is asked", () => {
  const small = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom("a", '"', ",") });
  fc.assert(
    fc.property(fc.array(small, { minLength: 1 }), fc.array(small), (items, others) => {
      const list = Array.from({ length: 1_000 }, (_, n) => items[n % items.length] as Json);
      for (const value of [...items, ...others] as Json[]) {
        const expected = items.some((item) => isEqual(item as Json, value));
        for (let time = 0; time < 20; time++) expect(hasMember(list, value)).toBe(expected);
      }
    }),
  );
  const reordered = Array.from({ length: 1_000 }, () => ({ a: -0, b: [1] }));
  for (let time = 0; time < 20; time++) expect(hasMember(reordered, { b: [1], a: 0 })).toBe(true);
});
