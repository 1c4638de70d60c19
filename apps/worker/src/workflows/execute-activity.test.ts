import { describe, expect, it } from "vitest";
import { toRetryPolicy } from "./execute-activity.ts";

const policy = {
  max_attempts: 10_000,
  initial_interval: "1s",
  backoff_coefficient: 2,
  max_interval: "10s",
};

describe("a retry policy", () => {
  it("is the component's for its first attempt", () => {
    expect(toRetryPolicy(policy)).toMatchObject({
      maximumAttempts: 10_000,
      initialInterval: 1_000,
      backoffCoefficient: 2,
      maximumInterval: 10_000,
    });
  });

  it.for([
    [1, 2_000],
    [3, 8_000],
    [4, 10_000],
    [9_999, 10_000],
  ] as const)(
    "after %i attempts has those that are left, and the pause that is next",
    ([before, pause]) => {
      expect(toRetryPolicy(policy, before)).toMatchObject({
        maximumAttempts: 10_000 - before,
        initialInterval: pause,
      });
    },
  );
});
