import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type ComponentSpec, defineComponent, isComponent } from "./component.ts";

const spec = {
  action: "say_hello",
  title: "Say hello",
  description: "Greets",
  input: z.strictObject({ name: z.string() }),
  output: z.string(),
  run: ({ input }) => Promise.resolve({ output: `Hello ${input.name}` }),
} satisfies ComponentSpec<z.ZodObject<{ name: z.ZodString }>, z.ZodString>;

describe("defineComponent", () => {
  it("fills in the timeout and the retry policy", () => {
    const component = defineComponent({ ...spec, retry: { max_attempts: 2 } });
    expect(component.timeout).toBe("30s");
    expect(component.retry).toEqual({
      max_attempts: 2,
      initial_interval: "1s",
      backoff_coefficient: 2,
      max_interval: "1m",
    });
    expect(isComponent(component)).toBe(true);
    expect(isComponent(spec)).toBe(false);
  });

  it.each([
    [{ action: "Say-Hello" }, "action"],
    [{ title: " " }, "title"],
    [{ description: "" }, "description"],
    [{ timeout: "30" }, "timeout"],
    [{ timeout: "0s" }, "timeout"],
    [{ timeout: "31d" }, "timeout"],
    [{ execution: "local" as const, timeout: "6s" }, "6s"],
    [{ retry: { initial_interval: "soon" } }, "retry.initial_interval"],
    [
      { retry: { max_interval: "500ms" } },
      "retry.max_interval: Value error, max_interval should not be shorter",
    ],
    [{ retry: { max_attempts: 0 } }, "retry.max_attempts"],
    [{ retry: { max_attempts: 1.5 } }, "retry.max_attempts"],
    [{ retry: { backoff_coefficient: Number.NaN } }, "retry.backoff_coefficient"],
  ])("refuses %j", (change, named) => {
    expect(() => defineComponent({ ...spec, ...change })).toThrow(named);
  });

  it("gives a local one no more time than a workflow task has", () => {
    expect(defineComponent({ ...spec, execution: "local" }).timeout).toBe("5s");
  });

  it("lists everything that is wrong at once", () => {
    expect(() => defineComponent({ ...spec, title: "", timeout: "x" })).toThrow(/title.*timeout/);
  });
});
