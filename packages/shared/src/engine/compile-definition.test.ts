import { describe, expect, test } from "vitest";
import { compileDefinition } from "./compile-definition.ts";
import { define, type Parts } from "./testing/define.ts";

test("every component comes after all that lead to it", () => {
  const document = define({
    z: {},
    b: { next: ["c", "z"] },
    c: { next: ["z"] },
    a: { next: ["c"] },
  });
  const { ordered, components } = compileDefinition(document);
  expect(ordered.map(({ component }) => component.key)).toEqual(["b", "a", "c", "z"]);
  expect(components).toBe(document.components);
});

describe("compileDefinition refuses what should never have been saved", () => {
  test.each<[string, Record<string, Parts>]>([
    ["a cycle", { a: { next: ["b"] }, b: { next: ["c"] }, c: { next: ["b"] } }],
    ["a dangling next", { a: { next: ["zz"] } }],
  ])("%s", (_name, parts) => {
    expect(() => compileDefinition(define(parts))).toThrow(Error);
  });
});
