// What the recorded shapes do not reach. How answers come in through the API is tested in `e2e/reviews.e2e.test.ts`.
import { waitFor } from "@truerun/dev/testing/wait-for";
import {
  ANSWER_REVIEW,
  REVIEW_FAILURES,
  type ReviewAnswer,
} from "@truerun/shared/contracts/review";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { type ApplicationFailure, WorkflowUpdateFailedError } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

const review = (given: Parameters<typeof component>[1] = {}) =>
  component("review", { action: "wait_for_review", with: {}, ...given });
const handleOf = (id: string) => rig.client.workflow.getHandle(id);

async function answer(id: string, given: Partial<ReviewAnswer>): Promise<void> {
  const whole = { step_key: "review", comment: null, decided_by: null, ...given };
  await handleOf(id).executeUpdate<void, [Partial<ReviewAnswer>]>(ANSWER_REVIEW, { args: [whole] });
}

/** Waits until Temporal has what the step's row says. */
async function untilPending(id: string, stepKey = "review"): Promise<void> {
  await waitFor(`the review ${stepKey}`, async () => {
    const { steps } = await rig.getRun(id);
    const { raw } = await handleOf(id).describe();
    const isOpen = steps.some((step) => step.stepKey === stepKey && step.status === null);
    return isOpen && raw.pendingWorkflowTask == null;
  });
}

test.each<[string, JsonObject]>([
  ["prompt", { prompt: "${{ input.five }}" }],
  ["timeout", { timeout: "${{ input.five }}" }],
  ["timeout", { timeout: "${{ input.age }}" }],
  ["on_timeout", { timeout: "1s", on_timeout: "${{ input.age }}" }],
  ["question", { question: "?" }],
])("a `with` whose `%s` cannot be used is a failed step that says so: %j", async (name, given) => {
  const input = { five: 5, age: "4000d" };
  const id = await rig.startRun({ input, components: [review({ with: given })] });
  const { status, steps } = await rig.finished(id);
  expect([status, steps[0]?.status]).toEqual(["failed", "failed"]);
  expect(steps[0]?.message).toMatch(new RegExp(`^with: \`${name}\` is `));
});

test("a review whose time is over says how long that was", async () => {
  const id = await rig.startRun({ components: [review({ with: { timeout: "1s" } })] });
  const { steps } = await rig.finished(id);
  expect(steps[0]?.message).toBe("Nobody answered the review within 1s.");
});

test("a decision by timeout is nobody's, at that time", async () => {
  const startedAt = Math.floor(Date.now() / 1_000);
  const given = { timeout: "1s", on_timeout: "reject" };
  const id = await rig.startRun({ components: [review({ with: given })] });
  const [step] = (await rig.finished(id)).steps;
  const output = step?.output as { decided_at: number };
  expect(output).toMatchObject({ decision: "reject", comment: null, decided_by: null });
  expect(output.decided_at).toBeGreaterThan(startedAt);
  expect(output.decided_at).toBeLessThanOrEqual(Math.floor(Date.now() / 1_000));
});

test("Temporal Web UI shows what is asked", async () => {
  const given = { prompt: "May it\u0000 go\n| on?", timeout: "10d" };
  const id = await rig.startRun({ components: [review({ with: given })] });
  await untilPending(id);
  const { events } = await handleOf(id).fetchHistory();
  const timer = events?.find((event) => event.timerStartedEventAttributes);
  const summary = Buffer.from(timer?.userMetadata?.summary?.data ?? []).toString();
  expect(JSON.parse(summary)).toBe("review: May it go | on?");
  const metadata = await handleOf(id).query<{ currentDetails: string }>(
    "__temporal_workflow_metadata",
  );
  expect(metadata.currentDetails).toContain("| running | May it\ufffd go \\| on? |");
  await handleOf(id).terminate();
});

describe("an answer", () => {
  test("that is none, or for no pending review, is rejected and leaves no trace", async () => {
    const id = await rig.startRun({ components: [review()] });
    await untilPending(id);
    const decision = "approve" as const;
    const { historyLength } = await handleOf(id).describe();
    for (const bad of [{ decision: "maybe" as never }, {}, { decision, step_key: "nope" }]) {
      await expect(answer(id, bad)).rejects.toThrow("Workflow Update failed");
    }
    expect((await handleOf(id).describe()).historyLength).toBe(historyLength);
    await answer(id, { decision });
    expect((await rig.finished(id)).status).toBe("completed");
  });

  test("behind a reset point is taken back, and the review can be answered anew", async () => {
    const components = [review({ next: [{ to: "after", on: "success" }] }), component("after")];
    const id = await rig.startRun({ components });
    await untilPending(id);
    await answer(id, { decision: "approve", decided_by: "first" });
    const before = await rig.finished(id);
    const { events } = await handleOf(id).fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await rig.reset(before, Number(firstTask?.eventId));
    await untilPending(id);
    await answer(id, { decision: "reject", decided_by: "second" });
    const after = await rig.finished(id);
    expect(after.steps.map(({ status }) => status)).toEqual(["success", "success"]);
    expect(after.steps[0]?.output).toMatchObject({ decision: "reject", decided_by: "second" });
  });
});

describe("of a large fan-out", () => {
  test("a review is answered in its batch, which the run names", async () => {
    const list = Array.from({ length: 102 }, (_, n) => n);
    const id = await rig.startRun({
      components: [review({ for_each: list, max_concurrency: 100 })],
    });
    await untilPending(id, "review[99]");
    const failure = await answer(id, { step_key: "review[99]", decision: "approve" }).catch(
      toCause,
    );
    expect(failure).toMatchObject({ type: REVIEW_FAILURES.inBatch });
    const batch = String((failure as ApplicationFailure).details?.[0]);
    expect(batch).toMatch(new RegExp(`^${id}/review\\[0-99\\]/`));
    await answer(batch, { step_key: "review[99]", decision: "reject", comment: "no" });
    const step = await waitFor("the outcome", async () => {
      const { steps } = await rig.getRun(id);
      return steps.find(({ stepKey, status }) => stepKey === "review[99]" && status !== null);
    });
    expect(step.output).toMatchObject({ decision: "reject", comment: "no" });
    for (const key of ["review[99]", "review[101]", "other[0]", "review"]) {
      const workflowId = key === "review[99]" ? batch : id;
      const again = answer(workflowId, { step_key: key, decision: "approve" });
      expect(await again.catch(toCause)).toMatchObject({ type: REVIEW_FAILURES.notPending });
    }
    await handleOf(id).terminate();
  });
});

function toCause(error: unknown): unknown {
  return error instanceof WorkflowUpdateFailedError ? error.cause : error;
}
