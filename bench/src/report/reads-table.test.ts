import { expect, test } from "vitest";
import { toReadsTable } from "./reads-table.ts";

test("each question is judged, and writing by its rounds' ratios", () => {
  const table = toReadsTable({
    smallRuns: 10_000,
    largeRuns: 1_000_000,
    reads: [
      { name: "first page", smallMs: 2, largeMs: 3, total: 1_000_000 },
      { name: "get-run", smallMs: 1, largeMs: 2.5, total: null },
    ],
    writes: {
      runs: 1_000,
      rounds: [
        { withCountsMs: 1_040, withoutMs: 1_000 },
        // The machine was slower.
        { withCountsMs: 2_200, withoutMs: 2_000 },
        { withCountsMs: 990, withoutMs: 1_000 },
      ],
    },
  });
  const [head, , ...rows] = table.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  expect(head?.slice(1, 3)).toEqual(["10,000 runs", "1,000,000 runs"]);
  expect(rows).toEqual([
    ["first page", "2.00", "3.00", "1,000,000", "1.50", "≤ 2 ×", "met"],
    ["get-run", "1.00", "2.50", "–", "2.50", "≤ 2 ×", "missed"],
    [
      "writing a run",
      "1.00 without counts",
      "1.04 with counts",
      "–",
      "1.040; 3 rounds: 0.99 to 1.10",
      "≤ 1.05 ×",
      "met",
    ],
  ]);
});
