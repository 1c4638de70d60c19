import { expect, test } from "vitest";
import { FaultList, limitFaults } from "./fault-list.ts";
import type { Fault } from "./faults.ts";

const faultAt = (...loc: Fault["loc"]): Fault => ({ loc, msg: "no", type: "value_error" });
const more = (...loc: Fault["loc"]): Fault => ({
  loc,
  type: "value_error",
  msg: "Value error, there are more faults than are listed",
});

test("a thousand faults are listed; of further ones only that they are there", () => {
  const faults = Array.from({ length: 1_001 }, (_, at) => faultAt("body", at));
  expect(limitFaults(faults.slice(1), ["body"])).toEqual(faults.slice(1));
  expect(limitFaults(faults, ["body"])).toEqual([...faults.slice(0, -1), more("body")]);
});

test("long keys in their places bound the number further; one fault is always listed", () => {
  const [half, whole] = ["k".repeat(150_000), "k".repeat(1_000_000)];
  const faults = [faultAt(half, 0), faultAt(half, 1), faultAt(half, 2)];
  expect(limitFaults(faults)).toEqual([...faults.slice(0, 2), more()]);
  expect(limitFaults([faultAt(whole)])).toEqual([faultAt(whole)]);
});

test("what is not listed is not made either", () => {
  const list = new FaultList();
  list.add(() => faultAt("k".repeat(300_000)));
  list.add(() => {
    throw new Error("It was made");
  });
  expect(list.toFaults([])).toHaveLength(2);
});
