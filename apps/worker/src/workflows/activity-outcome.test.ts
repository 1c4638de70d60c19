import { describe, expect, it } from "vitest";
import { toSuccess } from "./activity-outcome.ts";
import { UnreadablePayload } from "./payload-converter.ts";

const ARTIFACT = { artifact_type: "thing", id: "1", role: "result" };
const TIMES = { attempt: 2, started_at_ms: 1_000, finished_at_ms: 2_000 };
const NO_TIMES = { attempt: null, started_at_ms: null, finished_at_ms: null };

describe("what an activity returned", () => {
  it("is the envelope of a component's attempt", () => {
    const envelope = { output: { n: 1 }, artifacts: [ARTIFACT], ...TIMES };
    expect(toSuccess(envelope)).toEqual({ status: "success", message: null, ...envelope });
  });

  it.for([{ output: 5 }, { output: 5, artifacts: [] }])(
    "may tell output and artifacts alone: %j",
    (result) => {
      const expected = { status: "success", message: null, output: 5, artifacts: [], ...NO_TIMES };
      expect(toSuccess(result)).toEqual(expected);
    },
  );

  it.for([
    [null],
    [5],
    ["text"],
    [[1, 2]],
    [{}],
    [{ x: 1 }],
    [{ status: "weird" }],
    [{ output: 5, status: "weird" }],
    [{ output: 5, message: "hello" }],
    [{ output: 5, artifacts: null }],
    [{ output: 5, artifacts: [{ ...ARTIFACT, role: "other" }] }],
    [{ output: 5, artifacts: [], ...TIMES, attempt: 1.5 }],
    [{ output: 5, artifacts: [], ...TIMES, attempt: 2 ** 31 }],
    [{ output: 5, artifacts: [], ...TIMES, finished_at_ms: "later" }],
  ])("is the output if it has another shape: %j", ([result]) => {
    const expected = { status: "success", message: null, output: result, artifacts: [] };
    expect(toSuccess(result)).toEqual({ ...expected, ...NO_TIMES });
  });

  it("is null if there is none", () => {
    expect(toSuccess(undefined)).toMatchObject({ status: "success", output: null });
  });

  it("fails the step if it cannot be read", () => {
    expect(toSuccess(new UnreadablePayload("NaN"))).toMatchObject({
      status: "failed",
      message: "The component's result is no JSON: NaN",
    });
  });
});
