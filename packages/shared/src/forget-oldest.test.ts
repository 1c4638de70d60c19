import { expect, test } from "vitest";
import { forgetOldest } from "./forget-oldest.ts";

test("of a map, the keys that were set first go, even if they were set again", () => {
  const entries = new Map([
    ["a", 1],
    ["b", 2],
    ["c", 3],
    ["d", 4],
  ]);
  entries.set("a", 5);
  forgetOldest(entries, 2);
  expect([...entries]).toEqual([
    ["c", 3],
    ["d", 4],
  ]);
});

test("a set that is small enough stays as it is, and none may be left", () => {
  const entries = new Set(["a", "b"]);
  forgetOldest(entries, 2);
  expect([...entries]).toEqual(["a", "b"]);
  forgetOldest(entries, 0);
  expect([...entries]).toEqual([]);
});
