import { expect, test } from "vitest";
import type { Sample } from "../measure/sample.ts";
import { toPaperTable } from "./paper-table.ts";

test("the paper multiplies the measured cost of this service's regular run", () => {
  const sample: Sample = {
    round: 1,
    measure: "ends",
    system: "service",
    inFlight: 16,
    count: 100,
    perSecond: 20,
    p50Ms: 500,
    p99Ms: 900,
    cpuMs: { worker: 30 },
  };
  const others = { ...sample, system: "local", cpuMs: { worker: 300 } } as const;
  const lines = toPaperTable([sample, others], 16).split("\n");
  const cells = lines[3]?.split("|").map((cell) => cell.trim());
  expect(cells?.slice(1, -1)).toEqual(["workers", "30.0", "300", "500"]);
});
