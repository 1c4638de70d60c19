import { z } from "zod";
import { defineComponent } from "../component.ts";

const anyList = z.array(z.unknown()).max(10_000);

/** Tells which items of a `for_each` with `on_failure: continue` failed. */
export default defineComponent({
  action: "split_results",
  title: "Split results",
  description:
    "Lays the output of a for_each beside the items that it ran over, and tells those that gave a result from those that gave none (null: failed or skipped).",
  input: z
    .strictObject({
      items: anyList.describe("What the for_each ran over"),
      results: anyList.describe("Its output: as many, in the same order"),
    })
    .refine(({ items, results }) => items.length === results.length, {
      error: "items and results differ in length",
    }),
  output: z.strictObject({
    succeeded: z.array(z.strictObject({ index: z.int(), item: z.unknown(), result: z.unknown() })),
    failed: z.array(z.strictObject({ index: z.int(), item: z.unknown() })),
    succeeded_count: z.int(),
    failed_count: z.int(),
  }),
  async run({ input: { items, results } }) {
    const all = items.map((item, index) => ({ index, item, result: results[index] }));
    const succeeded = all.filter(({ result }) => result !== null);
    const failed = all
      .filter(({ result }) => result === null)
      .map(({ index, item }) => ({ index, item }));
    return {
      output: {
        succeeded,
        failed,
        succeeded_count: succeeded.length,
        failed_count: failed.length,
      },
    };
  },
});
