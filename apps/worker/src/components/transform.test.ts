import { describe, expect, it } from "vitest";
import { runComponent } from "../component-kit/run-component.ts";
import transform from "./transform.ts";

describe("transform", () => {
  it.each([1, null, "x", [], { a: { b: [true] } }])("gives back %j", async (value) => {
    expect((await runComponent(transform, { input: { value } })).output).toEqual(value);
  });

  it("keeps __proto__ as an ordinary key", async () => {
    const text = '{"__proto__":{"x":1}}';
    const { output } = await runComponent(transform, { input: { value: JSON.parse(text) } });
    expect(JSON.stringify(output)).toBe(text);
  });

  it("needs a value and nothing else", async () => {
    await expect(runComponent(transform, { rawInput: {} })).rejects.toMatchObject({
      type: "InvalidInput",
    });
    await expect(
      runComponent(transform, { rawInput: { value: 1, vlaue: 2 } }),
    ).rejects.toMatchObject({
      type: "InvalidInput",
    });
  });
});
