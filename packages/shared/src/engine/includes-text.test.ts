import fc from "fast-check";
import { expect, test } from "vitest";
import { includesText } from "./includes-text.ts";

/** Few different letters, so that parts match for a long way and then do not. */
const periodic = fc.array(fc.constantFrom("a", "b", "ab", "a".repeat(50)), { maxLength: 60 });

test("it finds what `includes` finds", () => {
  const cases = fc.tuple(periodic, periodic, fc.nat(600), fc.nat(600));
  fc.assert(
    fc.property(cases, ([left, right, from, length]) => {
      const text = [...left, ...right].join("");
      const inside = text.slice(from, from + length);
      expect(includesText(text, inside)).toBe(true);
      for (const part of [right.join(""), `${inside}b`, `b${inside}`, "c".repeat(300)]) {
        expect(includesText(text, part)).toBe(text.includes(part));
      }
    }),
  );
});

test("a part at the very beginning or end is found, a text that is longer is not", () => {
  const part = `${"é😀".repeat(100)}x`;
  expect(includesText(`${part}y`, part)).toBe(true);
  expect(includesText(`y${part}`, part)).toBe(true);
  expect(includesText(part, part)).toBe(true);
  expect(includesText(part, `${part}x`)).toBe(false);
});

test("no pair of texts takes more than their lengths", () => {
  const text = "a".repeat(1_000_000);
  const before = performance.now();
  for (const part of [
    `${"a".repeat(2_000)}b${"a".repeat(200_000)}`,
    `b${"a".repeat(249)}`,
    `${"a".repeat(200_000)}b`,
    `${"ab".repeat(100_000)}`,
  ]) {
    expect(includesText(text, part)).toBe(false);
  }
  // `includes` takes more than a minute for the first.
  expect(performance.now() - before).toBeLessThan(5_000);
});
