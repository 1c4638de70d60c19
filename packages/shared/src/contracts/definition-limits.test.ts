import { describe, expect, test } from "vitest";
import { checkDefinition } from "./check-definition.ts";

const CATALOGUE = [{ action_type: "transform", input_schema: {}, defaults: {} }];

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

  test("a large dense graph is checked in well under a second", () => {
    const components = Array.from({ length: 200 }, (_, index) => ({
      key: `k${index}`,
      action: "transform",
      with: { value: index === 0 ? 1 : `\${{ steps.k${index - 1}.output }}` },
      next: Array.from({ length: 199 - index }, (_each, offset) => ({
        to: `k${index + offset + 1}`,
      })),
    }));
    const before = performance.now();
    const oversized = faultsOf({ components }).filter((fault) => fault !== " value_error");
    expect(oversized).toEqual([]);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});
