// The gateway's side of an answer. How runs take answers is tested in `e2e/reviews.e2e.test.ts`.
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { newId } from "@truerun/shared/ids";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun, insertStep, type TestDefinition } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

const NOT_PENDING = {
  detail: { code: "review_not_pending", message: "The step is not waiting for a review." },
};

let rig: TestRig;
let temporal: TemporalClient;
let definition: TestDefinition;
beforeAll(async () => {
  rig = await createTestRig();
  definition = await defineWorkflow(rig);
  temporal = createTemporalClient({
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: "default",
  });
});
afterEach(() => {
  rig.temporalProxy.restore();
});
afterAll(async () => {
  await temporal.close();
  await rig.close();
});

interface Place {
  run: string;
  step: string;
}

const review = ({ run, step }: Place, options = {}) =>
  rig.gateways[1].send("POST", `/v1/workflows/runs/${run}/reviews/${step}`, {
    key: rig.org.plainKey,
    body: { decision: "approve" },
    ...options,
  });

/** Rows that say that a step waits for a review; Temporal does not know the run. */
async function insertReview(actionType = "wait_for_review"): Promise<Place> {
  const run = await insertRun(rig, definition);
  const step = await insertStep(rig, run, { ordinal: 0, status: null, actionType });
  return { run, step };
}

describe("a body", () => {
  const decisions = "Input should be 'approve' or 'reject'";
  test.each([
    ["", ["body"], "missing", "Field required"],
    ["{}", ["body", "decision"], "missing", "Field required"],
    ["[]", ["body"], "dict_type", "Input should be a valid dictionary"],
    ['{"decision":"maybe"}', ["body", "decision"], "enum", decisions],
    ['{"decision":null}', ["body", "decision"], "enum", decisions],
    [
      '{"decision":"approve","comment":5}',
      ["body", "comment"],
      "string_type",
      "Input should be a valid string",
    ],
    [
      JSON.stringify({ decision: "approve", comment: "x".repeat(10_001) }),
      ["body", "comment"],
      "string_too_long",
      "String should have at most 10000 characters",
    ],
  ])("%.60s is a fault, whatever the path names", async (body, loc, type, msg) => {
    for (const place of [await insertReview(), { run: "nope", step: "nope" }]) {
      const answer = await review(place, { body });
      expect([answer.status, answer.json]).toEqual([422, { detail: [{ loc, msg, type }] }]);
    }
  });

  test("all faults are told at once; what is no JSON is its own", async () => {
    const place = await insertReview();
    const both = await review(place, { body: { decision: 1, comment: 1 } });
    expect(both.json["detail"]).toHaveLength(2);
    const none = await review(place, { body: "{" });
    expect([none.status, none.text]).toEqual([422, expect.stringContaining("json_invalid")]);
  });
});

describe("a path", () => {
  test("to a run that the org does not have is a 404, whatever the step", async () => {
    const place = await insertReview();
    const others = await review(place, { key: rig.otherOrg.plainKey });
    const missing = await review({ ...place, run: newId("cbwr") });
    const malformed = await review({ run: "cbwr_x", step: "x" });
    for (const { status, json } of [others, missing, malformed]) {
      const detail = { code: "workflow_run_not_found", message: "Workflow run not found." };
      expect([status, json]).toEqual([404, { detail }]);
    }
  });

  test("to a step that the run does not have is a 404, another run's step too", async () => {
    const place = await insertReview();
    const { step } = await insertReview();
    for (const other of [
      step,
      `cbwrs_${"0".repeat(32)}`,
      "x",
      "%00",
      "%FF",
      place.step.toUpperCase(),
    ]) {
      const { status, json } = await review({ ...place, step: other });
      const detail = { code: "step_not_found", message: "Step not found." };
      expect([status, json]).toEqual([404, { detail }]);
    }
  });

  test("needs a key, before anything else is judged", async () => {
    const answer = await review(await insertReview(), { key: null, body: "{" });
    expect(answer.status).toBe(401);
  });
});

describe("a step that is not pending", () => {
  test("because it waits for something else", async () => {
    const answer = await review(await insertReview("wait"));
    expect([answer.status, answer.json]).toEqual([409, NOT_PENDING]);
  });

  test("because Temporal does not have the run, or has closed it", async () => {
    const place = await insertReview();
    expect((await review(place)).json).toEqual(NOT_PENDING);
    await temporal.client.workflow.start("x", { workflowId: place.run, taskQueue: "nobody" });
    await temporal.client.workflow.getHandle(place.run).terminate();
    const answer = await review(place);
    expect([answer.status, answer.json]).toEqual([409, NOT_PENDING]);
  });
});

describe("without a judgment", () => {
  test.each([
    ["no worker is up", () => undefined],
    ["Temporal is frozen", () => rig.temporalProxy.freeze()],
    ["Temporal is gone", () => rig.temporalProxy.cut()],
  ])("because %s, it is a 503 in time", async (_, damage) => {
    const place = await insertReview();
    await temporal.client.workflow.start("x", { workflowId: place.run, taskQueue: "nobody" });
    damage();
    const startedAt = Date.now();
    const answer = await review(place);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect([answer.status, answer.json]).toMatchObject([
      503,
      { detail: { code: "service_unavailable" } },
    ]);
    expect(answer.headers["retry-after"]).toBe("1");
  });
});
