import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../contracts/json.ts";
import { clipUtf8 } from "../storable-text.ts";
import { showValue } from "./show-value.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .constantFrom("a", "é", "€", "🙂", "\u0000", "\ud83d", '"')
    .chain((unit) => fc.integer({ min: 0, max: 140 }).map((count) => unit.repeat(count))),
);
const { value: anyValue } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 60 }),
    fc.dictionary(text, tie("value"), { maxKeys: 20 }),
  ),
}));

test("shows what clipping the whole JSON text would show", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const whole = clipUtf8(JSON.stringify(value), 120);
      expect(showValue(value)).toBe(whole);
      expect(showValue(value)).toBe(whole);
    }),
    { numRuns: 2_000 },
  );
});

test.each(["a", "é", "€", "🙂", "\u0001", "\ud83d"])(
  "cuts texts of %j at the same place",
  (unit) => {
    for (let length = 0; length < 300; length++) {
      for (const value of [unit.repeat(length), `x${unit.repeat(length)}`, [unit.repeat(length)]]) {
        expect(showValue(value)).toBe(clipUtf8(JSON.stringify(value), 120));
      }
    }
  },
);
