import { expect, it } from "vitest";
import { runComponent } from "../component-kit/run-component.ts";
import splitResults from "./split-results.ts";

it("tells which items have a result", async () => {
  const { output } = await runComponent(splitResults, {
    input: { items: ["a", { b: 1 }, "c"], results: [{ status: 200 }, null, false] },
  });
  expect(output).toEqual({
    succeeded: [
      { index: 0, item: "a", result: { status: 200 } },
      { index: 2, item: "c", result: false },
    ],
    failed: [{ index: 1, item: { b: 1 } }],
    succeeded_count: 2,
    failed_count: 1,
  });
});

it("refuses lists of different lengths", async () => {
  await expect(
    runComponent(splitResults, { input: { items: [1], results: [] } }),
  ).rejects.toMatchObject({ type: "InvalidInput" });
});
