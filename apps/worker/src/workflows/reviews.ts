import {
  ANSWER_REVIEW,
  REVIEW_DECISIONS,
  REVIEW_FAILURES,
  type ReviewAnswer,
} from "@truerun/shared/contracts/review";
import { parseStepKey } from "@truerun/shared/step-key";
import {
  ApplicationFailure,
  condition,
  defineUpdate,
  setHandler,
  type TimerOptions,
} from "@temporalio/workflow";

const answerReview = defineUpdate<void, [ReviewAnswer]>(ANSWER_REVIEW);

/** How long a review waits, and what its timer is called in Temporal Web UI. */
export interface ReviewTimer extends TimerOptions {
  ms: number;
}

/** Items of a fan-out that another workflow execution runs. */
export interface ItemRange {
  componentKey: string;
  first: number;
  count: number;
  workflowId: string;
}

/**
 * The reviews that this workflow execution waits for. Its history decides which answer is the first: that
 * one is taken, all others are rejected and leave no trace.
 */
export class Reviews {
  readonly #pending = new Map<string, { answer: ReviewAnswer | null }>();
  readonly #elsewhere: ItemRange[] = [];

  constructor() {
    setHandler(answerReview, (answer) => this.#take(answer), {
      validator: (answer) => void this.#getPending(answer),
    });
  }

  /**
   * Waits until the step's review is answered, or its time is over. There is always a timer: it marks in the
   * history where the review began. Without that mark, a replay joins a workflow task that changed nothing to
   * the one that brought an answer, and the answer comes before what it answers.
   *
   * @returns the answer; null when the time is over
   * @throws CancelledFailure when the step is canceled
   */
  async wait(stepKey: string, timer: ReviewTimer): Promise<ReviewAnswer | null> {
    const review: { answer: ReviewAnswer | null } = { answer: null };
    const isAnswered = () => review.answer !== null;
    this.#pending.set(stepKey, review);
    try {
      await condition(isAnswered, timer.ms, timer);
    } catch (error) {
      // The answer was acknowledged: a cancellation at the same moment comes too late.
      if (!isAnswered()) throw error;
    } finally {
      this.#pending.delete(stepKey);
    }
    return review.answer;
  }

  /** Tells those who answer where to find the reviews of these items. */
  delegate(items: ItemRange): void {
    this.#elsewhere.push(items);
  }

  #take(answer: ReviewAnswer): void {
    this.#getPending(answer).answer = answer;
  }

  /** @throws ApplicationFailure of a type of {@link REVIEW_FAILURES} */
  #getPending(answer: ReviewAnswer): { answer: ReviewAnswer | null } {
    // Anybody may send an update from Temporal Web UI.
    if (!REVIEW_DECISIONS.includes(answer.decision)) {
      const message = `\`decision\` is not one of ${REVIEW_DECISIONS.join(", ")}`;
      throw ApplicationFailure.nonRetryable(message, "InvalidAnswer");
    }
    const { step_key: stepKey } = answer;
    const review = this.#pending.get(stepKey);
    if (review !== undefined && review.answer === null) return review;
    const { componentKey, itemIndex } = parseStepKey(stepKey);
    const batch = this.#elsewhere.findLast(
      ({ componentKey: key, first, count }) =>
        itemIndex !== null &&
        key === componentKey &&
        itemIndex >= first &&
        itemIndex < first + count,
    );
    if (batch === undefined) {
      const message = `The step '${stepKey}' does not wait for a review`;
      throw ApplicationFailure.nonRetryable(message, REVIEW_FAILURES.notPending);
    }
    const message = `The step '${stepKey}' is run by the workflow '${batch.workflowId}'`;
    throw ApplicationFailure.nonRetryable(message, REVIEW_FAILURES.inBatch, batch.workflowId);
  }
}
