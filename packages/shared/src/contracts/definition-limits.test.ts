import { describe, expect, test } from "vitest";
import { checkDefinition } from "./check-definition.ts";

const CATALOGUE = [{ action_type: "transform", input_schema: {}, defaults: {} }];

const TEXTS = [{ type: "string" }, { type: "number" }, { type: "boolean" }];

function faultsOf(input: unknown): string[] {
  const result = checkDefinition(input, CATALOGUE);
  return result.ok ? [] : result.faults.map(({ loc, type }) => `${loc.join(".")} ${type}`);
}

describe("the limits of a definition", () => {
  const many = (count: number, input: object = { value: 1 }): unknown => ({
    components: Array.from({ length: count }, (_, index) => ({
      key: `k${index}`,
      action: "transform",
      with: input,
    })),
  });

  test("500 components are accepted, 501 refused", () => {
    expect(faultsOf(many(500))).toEqual([]);
    expect(faultsOf(many(501))).toEqual(["components too_long"]);
  });

  test("a definition of more than 256 KiB is refused", () => {
    expect(faultsOf(many(1, { value: "x".repeat(256 * 1024) }))).toEqual([" value_error"]);
  });

  test("deep nesting is refused before anything walks it", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(faultsOf(deep)).toEqual([" value_error"]);
  });

  test("long keys above many values are refused before each of them is judged", () => {
    const input_schema = {
      properties: { query: { additionalProperties: { type: "array", items: { anyOf: TEXTS } } } },
    };
    const items = Array.from({ length: 50_000 }, () => []);
    const [short, long] = ["k", "k".repeat(10_000)].map((key) => ({
      components: [{ key: "a", action: "http", with: { query: { [key]: items } } }],
    }));
    const http = [{ action_type: "http", input_schema, defaults: {} }];
    const faults = (input: unknown) => {
      const result = checkDefinition(input, http);
      return result.ok ? [] : result.faults;
    };
    expect(faults(short).length).toBeGreaterThan(1_000);
    expect(faults(long)).toMatchObject([
      { loc: [], msg: expect.stringContaining("too long for its many values") },
    ]);
  });

  test("conditions of more nodes than any definition needs are refused before each is judged", () => {
    const withNodes = (count: number) => ({
      components: [
        {
          key: "a",
          action: "transform",
          with: { value: 1 },
          next: Array.from({ length: count / 200 }, () => ({
            to: "a",
            when: { any: [{ not: {} }, ...Array.from({ length: 197 }, () => ({}))] },
          })),
        },
      ],
    });
    expect(faultsOf(withNodes(2_000)).length).toBeGreaterThan(1_000);
    expect(faultsOf(withNodes(8_200))).toEqual([" value_error"]);
  });

  test("lists of more elements than any definition needs are refused", () => {
    const next = Array.from({ length: 70_000 }, () => 0);
    const input = { components: [{ key: "a", action: "transform", with: { value: 1 }, next }] };
    expect(faultsOf(input)).toEqual([" value_error"]);
  });

  test("a large dense graph is checked in well under a second", () => {
    const components = Array.from({ length: 180 }, (_, index) => ({
      key: `k${index}`,
      action: "transform",
      with: { value: index === 0 ? 1 : `\${{ steps.k${index - 1}.output }}` },
      next: Array.from({ length: 179 - index }, (_each, offset) => ({
        to: `k${index + offset + 1}`,
      })),
    }));
    const before = performance.now();
    expect(faultsOf({ components })).toEqual([]);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});
