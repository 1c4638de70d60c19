import { expect, test } from "vitest";
import { planStages } from "./turns.ts";

const all = ["accept", "ends", "reads", "busy"] as const;

test("what needs no worker has servers of its own, and what leaves a backlog comes last", () => {
  const [first, second, ...others] = planStages({ only: all, rounds: 2, isQuick: false });
  expect(others).toEqual([]);
  expect(first?.withWorker).toBe(false);
  expect(first?.turns.map(({ measure }) => measure)).toEqual(Array(6).fill("accept"));
  expect(second?.turns.map(({ measure, round }) => `${round} ${measure}`)).toEqual([
    "1 ends",
    "1 ends",
    "1 ends",
    "1 get",
    "1 replay",
    "2 ends",
    "2 ends",
    "2 ends",
    "2 get",
    "2 replay",
    ...Array(3).fill("1 accept-busy"),
    ...Array(3).fill("2 accept-busy"),
  ]);
});

test("nothing is started for what nobody asked", () => {
  expect(planStages({ only: ["accept"], rounds: 1, isQuick: true })).toEqual([
    {
      withWorker: false,
      turns: [1, 4].map((inFlight) => ({ round: 1, measure: "accept", inFlight })),
    },
  ]);
});
