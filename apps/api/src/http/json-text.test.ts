import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_NESTING } from "@truerun/shared/contracts/json";
import { scanJson } from "./json-text.ts";
import { parseJsonBody } from "./parse-json-body.ts";

const input = { member: "input" };

function member(text: string): string | null {
  const scan = scanJson(text, input);
  if (!scan.valid) throw new Error(scan.reason);
  return scan.member;
}

function faults(text: string, kept: Parameters<typeof scanJson>[1] = input) {
  const scan = scanJson(text, kept);
  return scan.valid ? scan.faults.map(({ loc, type }) => [loc, type]) : scan;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("the kept member", () => {
  test.each([
    ['{"input":{"b":1.0,"a":-0}}', '{"b":1.0,"a":-0}'],
    [' { "input" : { "b" : 1 } , "x":2}', '{ "b" : 1 }'],
    ['{"\\u0069nput":{"n":1}}', '{"n":1}'],
    ['{"input":{"n":1},"input":[2]}', "[2]"],
    ['{"input":1,"other":{"input":2}}', "1"],
    ['{"other":[{"input":2}]}', null],
    ['{"input":"a\\"b\\\\"}', '"a\\"b\\\\"'],
    ["{}", null],
    ["[]", null],
    ['["input",{"input":1}]', null],
    ["null", null],
    ['"input"', null],
  ])("of %s is %s", (text, expected) => {
    expect(member(text)).toBe(expected);
  });

  test("is the text between its neighbors, whatever it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, value) => {
        const raw = JSON.stringify(value, null, 1);
        expect(member(`{"x": ${JSON.stringify(before)}, "input": ${raw} , "y":[]}`)).toBe(raw);
      }),
    );
  });
});

describe("validity", () => {
  test("agrees with JSON.parse on JSON and on JSON with a character changed", () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", ",", "}", "]", '"', "\\", "0", "-", ".", "e", " ", "\n", "\u0001", "t"),
        (text, place, char) => {
          const at = place % (text.length + 1);
          for (const each of [text, text.slice(0, at) + char + text.slice(at + 1)]) {
            expect(scanJson(each, input).valid).toBe(isJson(each));
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["{not json", 1],
    ['{"input": {', 11],
    ["nope", 0],
    ['{"a":1,}', 7],
    ["[1 2]", 3],
    ['{"a":"\u0001"}', 6],
    ['{"a":"\\x"}', 6],
    ["01", 1],
    ["1 x", 2],
    ["\ufeff{}", 0],
    ["", 0],
  ])("%j is wrong at %i", (text, position) => {
    expect(scanJson(text, input)).toMatchObject({ valid: false, position });
  });
});

describe("numbers that cannot be kept", () => {
  test.each([
    ['{"input":{"deep":[{"n":9007199254740993}]}}', ["input", "deep", 0, "n"], "int_parsing_size"],
    ['{"input":{"n":-9007199254740992}}', ["input", "n"], "int_parsing_size"],
    ['{"input":[1,1e400]}', ["input", 1], "finite_number"],
    ['{"input":{"\\u0061":-1E+999}}', ["input", "a"], "finite_number"],
  ])("%s", (text, loc, type) => {
    expect(faults(text)).toEqual([[loc, type]]);
  });

  test.each([
    '{"input":{"n":9007199254740991}}',
    '{"input":{"n":-9007199254740991}}',
    '{"input":{"n":1e-400}}',
    '{"input":{"n":12345678901234567890.5}}',
    '{"input":{"n":1e308}}',
    '{"other":9007199254740993}',
    '{"input":{"n":9007199254740993},"input":{}}',
  ])("nothing is wrong with %s", (text) => {
    expect(faults(text)).toEqual([]);
  });

  test("count everywhere when all of the document is kept", () => {
    expect(faults('{"a":9007199254740993,"b":[1e400]}', { all: true })).toEqual([
      [["a"], "int_parsing_size"],
      [["b", 0], "finite_number"],
    ]);
  });
});

describe("nesting", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

  test("may be as deep as the limit", () => {
    expect(faults(nested(MAX_NESTING))).toEqual([]);
  });

  test("one level deeper is a fault that names the place", () => {
    expect(faults(nested(MAX_NESTING + 1))).toEqual([
      [Array.from({ length: MAX_NESTING }, () => 0), "json_invalid"],
    ]);
  });

  test("of half a million levels is a fault too, closed or not", () => {
    expect(parseJsonBody({ bytes: Buffer.from(nested(500_000)) }, input)).toHaveProperty("faults");
    expect(parseJsonBody({ bytes: Buffer.from("[".repeat(500_000)) }, input)).toHaveProperty(
      "faults",
    );
    expect(parseJsonBody({ bytes: Buffer.from('{"a":'.repeat(200_000)) }, input)).toHaveProperty(
      "faults",
    );
  });
});

test("a very long string or number does not trip the scanner", () => {
  expect(faults(`{"input":{"s":"${"\\n".repeat(500_000)}"}}`)).toEqual([]);
  expect(faults(`{"input":[${"9".repeat(1_000_000)}]}`)).toHaveLength(1);
});

describe("a body", () => {
  test.each([
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), "json_invalid"],
    [Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), "json_invalid"],
    [Buffer.from(" "), "json_invalid"],
  ])("%j is not JSON", (bytes, type) => {
    expect(parseJsonBody({ bytes }, input)).toMatchObject({ faults: [{ type }] });
  });

  test("keeps __proto__ as an ordinary member", () => {
    const body = parseJsonBody({ bytes: Buffer.from('{"input":{"__proto__":{"a":1}}}') }, input);
    expect(JSON.stringify(body)).toContain('"__proto__":{"a":1}');
  });
});
