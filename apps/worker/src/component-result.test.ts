import { ApplicationFailure } from "@temporalio/common";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseOrRefuse } from "./component-result.ts";

const INPUT = { type: "InvalidInput", place: "with" } as const;

test("a value with more faults than zod can list is refused for good, like any other that does not fit", async () => {
  const schema = z.strictObject({ list: z.array(z.string()) });
  const list = Array.from({ length: 510_000 }, () => 0);
  const refusal = parseOrRefuse(schema, { list }, INPUT);
  await expect(refusal).rejects.toBeInstanceOf(ApplicationFailure);
  await expect(refusal).rejects.toMatchObject({ type: "InvalidInput", nonRetryable: true });
  await expect(refusal).rejects.toThrow(/^with/);
});

test("another error of a schema is what it is", async () => {
  const schema = z.string().refine(() => {
    throw new Error("a bug");
  });
  await expect(parseOrRefuse(schema, "x", INPUT)).rejects.toThrow("a bug");
});
