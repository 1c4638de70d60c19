import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../contracts/json.ts";
import { utf8Bytes } from "../storable-text.ts";
import { joinedBytes, jsonBytes, textBytes, toTextPart } from "./json-size.ts";

const anyText = fc.string({ unit: "binary" });
/** Halves of characters as well: what JSON escapes. */
const anyUnits = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7fe, max: 0xe001 })))
  .map((units) => String.fromCharCode(...units));

test("is the size of the JSON text in UTF-8, whatever the value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }), (value) => {
      expect(jsonBytes(value as Json)).toBe(utf8Bytes(JSON.stringify(value)));
    }),
  );
  fc.assert(
    fc.property(fc.oneof(anyText, anyUnits), (text) => {
      expect(jsonBytes({ [text]: [text, -0, 1e21] })).toBe(
        utf8Bytes(JSON.stringify({ [text]: [text, -0, 1e21] })),
      );
    }),
  );
  for (let unit = 0; unit <= 0xffff; unit++) {
    const text = String.fromCharCode(unit);
    if (textBytes(text) !== utf8Bytes(JSON.stringify(text)) - 2) throw new Error(`U+${unit}`);
  }
});

test("texts joined are as large as their parts together, halves of characters included", () => {
  const toPart = (text: string) => ({ text, bytes: textBytes(text) });
  fc.assert(
    fc.property(fc.array(anyUnits), (texts) => {
      expect(joinedBytes(texts.map(toPart))).toBe(textBytes(texts.join("")));
    }),
  );
  expect(joinedBytes(["\ud83d", "", "\ude00"].map(toPart))).toBe(4);
  const value = { 'a"': ["\n", 1.5, null] };
  expect(toTextPart(value)).toEqual(toPart(JSON.stringify(value)));
});

test("a large value is walked once", () => {
  let walks = 0;
  const list = new Proxy(
    Array.from({ length: 1_000 }, () => "x"),
    {
      get(target, name, receiver): unknown {
        if (name === "length") walks++;
        return Reflect.get(target, name, receiver);
      },
    },
  );
  const once = jsonBytes(list);
  const before = walks;
  expect(jsonBytes([list, { list }])).toBe(2 * once + '[,{"list":}]'.length);
  expect(walks).toBe(before);
});
