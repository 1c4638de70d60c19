import { expect, test } from "vitest";
import { z } from "zod";
import { commaListParameter, enumListParameter, toQueryLists } from "./query.ts";

const WORDS = ["a", "b"] as const;
const schema = z.object({
  include: commaListParameter(WORDS, "Split at commas"),
  status: enumListParameter(WORDS, "Given once for each value"),
});

test.each<[query: string, lists: Record<string, string[]>]>([
  ["", {}],
  ["include=a,b&include=&include=c", { include: ["a", "b", "c"] }],
  ["include=", { include: [] }],
  ["status=a,b&status=", { status: ["a,b", ""] }],
  ["other=a,b&constructor=a,b", { other: ["a,b"], constructor: ["a,b"] }],
])("only what is documented as a comma-separated list is split: %s", (query, lists) => {
  expect(toQueryLists(query, schema)).toEqual(lists);
});

test("of a name that every object has, the texts are a list too", () => {
  const lists = toQueryLists("__proto__=a,b", schema);
  expect(Object.entries(lists)).toEqual([["__proto__", ["a,b"]]]);
});
