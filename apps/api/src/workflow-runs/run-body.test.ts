import { describe, expect, test } from "vitest";
import { parseRunBody } from "./run-body.ts";

const parse = (text: string) => parseRunBody({ bytes: Buffer.from(text) });

describe("the input of a run request", () => {
  test.each(["", "null", "{}", '{"other":1}', '{"other":9007199254740993}', '{"Input":1}'])(
    "is {} for the body %j",
    (text) => {
      expect(parse(text)).toEqual({ value: {}, text: "{}" });
    },
  );

  test.each([
    ['{"input":{"b":1.0,"a":-0}}', '{"b":1.0,"a":-0}'],
    ['{ "input" : { "2":1, "1":2 } }', '{ "2":1, "1":2 }'],
    ['{"\\u0069nput":{"a":1}}', '{"a":1}'],
    ['{"input":3,"input":{"a":1}}', '{"a":1}'],
    ['{"__proto__":{"input":{}},"input":{"x":1}}', '{"x":1}'],
  ])("of %s is the text %s", (text, expected) => {
    expect(parse(text)).toMatchObject({ text: expected });
  });

  test("does not come from a prototype that the body names", () => {
    expect(parse('{"__proto__":{"input":{"admin":true}}}')).toEqual({ value: {}, text: "{}" });
  });

  test("keeps __proto__ as an ordinary member", () => {
    const input = parse('{"input":{"__proto__":{"admin":true}}}');
    expect("value" in input && JSON.stringify(input.value)).toBe('{"__proto__":{"admin":true}}');
  });

  test.each([
    ['{"input":null}', ["body", "input"], "dict_type", "Input should be a valid dictionary"],
    ['{"input":[]}', ["body", "input"], "dict_type", "Input should be a valid dictionary"],
    ['{"input":"x"}', ["body", "input"], "dict_type", "Input should be a valid dictionary"],
    [
      '{"input":{},"input":3}',
      ["body", "input"],
      "dict_type",
      "Input should be a valid dictionary",
    ],
    [
      "[]",
      ["body"],
      "model_attributes_type",
      "Input should be a valid dictionary or object to extract fields from",
    ],
    [
      "3",
      ["body"],
      "model_attributes_type",
      "Input should be a valid dictionary or object to extract fields from",
    ],
  ])("%s is refused", (text, loc, type, msg) => {
    expect(parse(text)).toEqual({ faults: [{ loc, type, msg }] });
  });

  test("is refused for its type and for the numbers in it, all at once", () => {
    const result = parse('{"input":[1e400]}');
    expect("faults" in result && result.faults.map(({ loc, type }) => [loc, type])).toEqual([
      [["body", "input", 0], "finite_number"],
      [["body", "input"], "dict_type"],
    ]);
  });
});
