import { expect, test } from "vitest";
import { FaultList, toFaultList } from "./fault-list.ts";
import type { Fault } from "./faults.ts";

const faultAt = (...loc: Fault["loc"]): Fault => ({ loc, msg: "no", type: "value_error" });
const MORE = "Value error, there are more faults than are listed";

test("a thousand faults are answered; of further ones only that they are there", () => {
  const faults = Array.from({ length: 1_002 }, (_, at) => faultAt("body", at));
  expect(toFaultList(faults.slice(0, 1_000)).toAnswer()).toEqual(faults.slice(0, 1_000));
  const more = { ...faultAt("body"), msg: MORE };
  expect(toFaultList(faults).toAnswer()).toEqual([...faults.slice(0, 1_000), more]);
});

test("long keys in their places bound the number further; one fault is always answered", () => {
  const [half, whole] = ["k".repeat(150_000), "k".repeat(1_000_000)];
  const faults = [0, 1, 2, 3].map((at) => faultAt("body", half, at));
  const more = { ...faultAt("body"), msg: MORE };
  expect(toFaultList(faults).toAnswer()).toEqual([...faults.slice(0, 2), more]);
  expect(toFaultList([faultAt(whole)]).toAnswer()).toEqual([faultAt(whole)]);
});

test("a list made of lists that were cut still tells that there are more", () => {
  const faults = Array.from({ length: 5_000 }, (_, at) => faultAt("body", at));
  const cut = toFaultList(faults).toFaults();
  expect(
    toFaultList([faultAt("header"), ...cut])
      .toAnswer()
      .at(-1),
  ).toMatchObject({ msg: MORE });
  expect(toFaultList(cut).toAnswer()).toEqual(toFaultList(faults).toAnswer());
});

test("what is not kept is not made either", () => {
  const list = toFaultList([faultAt("k".repeat(300_000)), faultAt("b")]);
  list.add(() => {
    throw new Error("It was made");
  });
  expect(list.toFaults()).toHaveLength(2);
  expect(new FaultList().toAnswer()).toEqual([]);
});
