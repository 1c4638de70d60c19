import { describe, expect, test } from "vitest";
import { checkDefinition } from "./check-definition.ts";

const CATALOGUE = [{ action_type: "transform", input_schema: {}, defaults: {} }];

function faultsOf(input: unknown): string[] {
  const result = checkDefinition(input, CATALOGUE);
  return result.ok ? [] : result.faults.map(({ loc, type }) => `${loc.join(".")} ${type}`);
}

describe("conditions", () => {
  const withWhen = (when: unknown): unknown => ({
    components: [
      { key: "a", action: "transform", next: [{ to: "b", when }] },
      { key: "b", action: "transform" },
    ],
  });
  const at = "components.0.next.0.when";
  const leaf = { path: "input.n", op: "eq", value: 1 };
  const nest = (levels: number): unknown => (levels === 1 ? leaf : { not: nest(levels - 1) });

  test.each<[string, unknown]>([
    ["a leaf", leaf],
    ["null as value", { path: "input.n", op: "eq", value: null }],
    [
      "all ops of exists",
      {
        all: [
          { path: "input", op: "exists" },
          { path: "input", op: "exists", value: false },
        ],
      },
    ],
    ["its source's own step", { path: "steps.a.output.x[0]", op: "exists" }],
    ["depth 16", nest(16)],
    ["256 nodes", { any: Array.from({ length: 255 }, () => leaf) }],
  ])("accepts %s", (_name, when) => {
    expect(faultsOf(withWhen(when))).toEqual([]);
  });

  test.each<[string, unknown, string[]]>([
    ["a text", "input.n == 1", [`${at} dict_type`]],
    ["null", null, [`${at} dict_type`]],
    ["nothing in it", {}, [`${at}.path missing`, `${at}.op missing`]],
    ["an unknown op", { path: "input.n", op: "matches", value: 1 }, [`${at}.op enum`]],
    ["no value", { path: "input.n", op: "gt" }, [`${at}.value missing`]],
    ["an order over a list", { path: "input.n", op: "gt", value: [] }, [`${at}.value value_error`]],
    ["in without a list", { path: "input.n", op: "in", value: "x" }, [`${at}.value list_type`]],
    [
      "exists with a number",
      { path: "input.n", op: "exists", value: 1 },
      [`${at}.value bool_type`],
    ],
    [
      "starts_with a number",
      { path: "input.n", op: "starts_with", value: 1 },
      [`${at}.value string_type`],
    ],
    ["a bad path", { path: "input..n", op: "exists" }, [`${at}.path value_error`]],
    ["an unknown root", { path: "env.HOME", op: "exists" }, [`${at}.path value_error`]],
    ["a later step", { path: "steps.b.output", op: "exists" }, [`${at}.path value_error`]],
    ["a mixture", { all: [leaf], path: "input.n" }, [`${at}.path extra_forbidden`]],
    [
      "faults deep down",
      { all: [{ any: [{ not: { path: "input.n", op: "x" } }, 3] }, leaf] },
      [`${at}.all.0.any.0.not.op enum`, `${at}.all.0.any.1 dict_type`],
    ],
    ["depth 17", nest(17), [`${at} value_error`]],
    ["257 nodes", { any: Array.from({ length: 256 }, () => leaf) }, [`${at} value_error`]],
  ])("refuses %s", (_name, when, expected) => {
    expect(faultsOf(withWhen(when))).toEqual(expected);
  });
});
