import { expect, test } from "vitest";
import { cpuPer, parseStat } from "./process-use.ts";

test("a process' time is its own and that of its ended children, whatever its name holds", () => {
  const text =
    "4321 (odd) name 9 9) S 12 1 1 0 -1 4194560 100 200 0 0 7 3 20 5 20 0 11 0 123 456 789";
  expect(parseStat(text)).toEqual({ pid: 4321, parent: 12, cpuMs: 350 });
});

test("what was used is shared by those it was used for, part by part", () => {
  const used = cpuPer({ gateway: 100, worker: 10 }, { gateway: 160, worker: 40 }, 10);
  expect(used).toEqual({ gateway: 6, worker: 3 });
});

test("nothing is known of what could not be read, or was used for nothing", () => {
  expect(cpuPer(null, { worker: 1 }, 1)).toBeNull();
  expect(cpuPer({ worker: 1 }, { worker: 2 }, 0)).toBeNull();
});
