// What gateway and interpreter agree on about reviews. Sandbox-safe.

/** What a reviewer can decide. */
export const REVIEW_DECISIONS = ["approve", "reject"] as const;
export type ReviewDecision = (typeof REVIEW_DECISIONS)[number];

/** What may happen when nobody has decided in time. */
export const ON_TIMEOUT = [...REVIEW_DECISIONS, "fail"] as const;
export type OnTimeout = (typeof ON_TIMEOUT)[number];

/** Temporal Update that answers a review. Its only argument is a {@link ReviewAnswer}. */
export const ANSWER_REVIEW = "answer_review";

/** The answer to the review that a step waits for. */
export interface ReviewAnswer {
  step_key: string;
  decision: ReviewDecision;
  comment: string | null;
  /** Id of the API key that answered, `cbak_<32 hex>`; null when the answer did not come through the API. */
  decided_by: string | null;
}

/** Types of the failures with which an answer is rejected. */
export const REVIEW_FAILURES = {
  /** No step of that key waits for a review. */
  notPending: "ReviewNotPending",
  /** The step is in a batch, to be asked instead; the failure's first detail is the batch's workflow id. */
  inBatch: "ReviewInBatch",
} as const;
