import { expect, test } from "vitest";
import { findNameFault } from "./workflow-name.ts";

test.each([
  ["a", null],
  ["späte Prüfung/50%", null],
  ["constructor", null],
  ["x".repeat(255), null],
  ["😀".repeat(250), null],
  ["", "empty"],
  ["x".repeat(256), "too_many_characters"],
  ["😀".repeat(251), "too_many_bytes"],
  ["x".repeat(1_000_000), "too_many_characters"],
  ["a\u0000", "unstorable"],
  ["a\ud800", "unstorable"],
])("%j: %s", (name, fault) => {
  expect(findNameFault(name)).toBe(fault);
});
