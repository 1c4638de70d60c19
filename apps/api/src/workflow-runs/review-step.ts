import { REVIEW_DECISIONS, type ReviewAnswer } from "@truerun/shared/contracts/review";
import type { Database } from "@truerun/shared/db";
import { WAIT_FOR_REVIEW } from "@truerun/shared/engine/engine-actions";
import { isId } from "@truerun/shared/ids";
import { z } from "zod";
import { defineEndpoint } from "../http/define-endpoint.ts";
import { reviewNotPending, serviceUnavailable, stepNotFound } from "../http/errors.ts";
import { parseJsonRequest } from "../http/json-request.ts";
import { idSchema } from "../http/parameters.ts";
import { answerReview } from "./answer-review.ts";
import { readRun, readRunHead, toRunText, workflowRunIdParam } from "./read-run.ts";
import { workflowRunSchema } from "./run-view.ts";

/** Longer texts belong elsewhere; the comment can refer to them. */
const MAX_COMMENT = 10_000;

const bodySchema = z
  .looseObject({
    decision: z.enum(REVIEW_DECISIONS).meta({ description: "The step's `output.decision`" }),
    comment: z.string().max(MAX_COMMENT).nullish().meta({ description: "Why; kept as it is" }),
  })
  .meta({ id: "Review" });

/** Answers a step that waits for a review; the first answer is taken. */
export const reviewStep = defineEndpoint({
  operationId: "reviewStep",
  summary: "Answer a review",
  description:
    "Answers a step that waits for a review (`wait_for_review`). The first answer is taken, and the step is a success whatever the decision; edges branch on it. The same answer with the same key may be repeated: after a 503 that is how to learn what became of it.",
  tag: "Workflow runs",
  access: "any_key",
  params: z.object({ workflow_run_id: workflowRunIdParam, step_id: idSchema("cbwrs", "The step") }),
  body: { schema: bodySchema, required: true, example: { decision: "approve" } },
  responses: { 202: { description: "The run, with the answer", schema: workflowRunSchema } },
  errors: ["workflow_run_not_found", "step_not_found", "review_not_pending"],
  async handler(request, services) {
    const { decision, comment = null } = parseJsonRequest(request.body, bodySchema);
    const stepId = request.param("step_id").text;
    const run = await readRunHead(request, services, isId("cbwrs", stepId ?? "") ? stepId : null);
    const [step] = run.steps;
    if (step === undefined) throw stepNotFound();
    if (step.action_type !== WAIT_FOR_REVIEW) throw reviewNotPending();
    const answer = { step_key: step.step_key, decision, comment, decided_by: run.key_id };
    request.endTurn();
    const result = await answerReview(services, run.id, answer);
    if (result.kind === "unavailable") throw serviceUnavailable(result.cause);
    if (result.kind === "not_pending" && !(await wasTaken(services.db, step.id, answer))) {
      throw reviewNotPending();
    }
    return { status: 202, text: toRunText(await readRun(request, services)) };
  },
});

/**
 * Whether this very answer decided the step. Temporal can tell, too, but not forever, and for a batch only
 * while its run is open.
 */
async function wasTaken(db: Database, id: string, answer: ReviewAnswer): Promise<boolean> {
  const step = await db.workflowRunStep.findUnique({ where: { id }, select: { output: true } });
  const output = step?.output as Partial<ReviewAnswer> | null | undefined;
  return (
    output?.decided_by === answer.decided_by &&
    output.decision === answer.decision &&
    output.comment === answer.comment
  );
}
