import { expect, test } from "vitest";
import { toBarChart, toLineChart } from "./svg.ts";

test("bars are as long as their values say, part behind part", () => {
  const svg = toBarChart({
    title: "CPU < all",
    groups: [
      {
        title: "16 in flight",
        rows: [
          {
            label: "one",
            text: "30",
            parts: [
              { name: "a", value: 10 },
              { name: "b", value: 20 },
            ],
          },
          { label: "two", text: "15", parts: [{ name: "a", value: 15 }] },
        ],
      },
    ],
  });
  expect(svg).toContain("<title>CPU &lt; all</title>");
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)]
    .map(([, x, width]) => [Number(x), Number(width)])
    .filter(([, width = 0]) => width > 12);
  expect(bars).toEqual([
    [190, 143.3],
    [333.3, 286.7],
    [190, 215],
  ]);
});

test("a line goes through its points, whose steps may multiply", () => {
  const points = [
    [1, 0],
    [10, 50],
    [100, 100],
  ] as const;
  const line = { title: "Steps", x: "steps", lines: [{ name: "runs", points }] };
  const [, straight = ""] = /points="([^"]+)"/.exec(toLineChart(line)) ?? [];
  const [, multiplied = ""] =
    /points="([^"]+)"/.exec(toLineChart({ ...line, isLogarithmic: true })) ?? [];
  expect(straight).toBe("70,300 125.5,195.5 680,90.9");
  expect(multiplied).toBe("70,300 375,195.5 680,90.9");
});
