import { expect, test } from "vitest";
import { RoundMemory } from "./round-memory.ts";

test("what is met in each round is remembered, what is not is forgotten a round later", () => {
  const memory = new RoundMemory<number>();
  memory.set("met", 1);
  memory.set("gone", 2);
  memory.beginRound();
  expect(memory.get("met")).toBe(1);
  memory.beginRound();
  expect(memory.get("met")).toBe(1);
  expect(memory.get("gone")).toBeUndefined();
});

test("what is deleted or set anew is so in both rounds", () => {
  const memory = new RoundMemory<number>();
  memory.set("deleted", 1);
  memory.set("changed", 1);
  memory.beginRound();
  memory.delete("deleted");
  memory.set("changed", 2);
  expect(memory.get("deleted")).toBeUndefined();
  expect(memory.get("changed")).toBe(2);
});
