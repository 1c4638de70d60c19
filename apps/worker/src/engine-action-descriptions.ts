import { DURATION_PATTERN } from "@truerun/shared/contracts/duration";
import { ON_TIMEOUT, REVIEW_DECISIONS } from "@truerun/shared/contracts/review";
import type { EngineAction } from "@truerun/shared/engine/engine-actions";
import { z } from "zod";

/** What the catalogue says of an action. */
export interface ActionDescription {
  action: string;
  title: string;
  description: string;
  input: z.ZodType;
  output: z.ZodType;
  /** Timeout and retry policy of component activities; the engine's own actions have no attempts. */
  defaults: Readonly<Record<string, unknown>>;
}

/** The engine's own actions as the catalogue shows them; `workflows/run-engine-action.ts` does them. */
const DESCRIPTIONS: Readonly<Record<EngineAction, Omit<ActionDescription, "action" | "defaults">>> =
  {
    wait: {
      title: "Wait",
      description:
        "Waits for a duration, or until a moment. Durable: it costs no worker, and a restart of anything does not change when it ends.",
      input: z.union([
        z.strictObject({
          duration: z
            .string()
            .regex(DURATION_PATTERN)
            .describe("How long, e.g. 30s, 10m, 24h, 30d"),
        }),
        z.strictObject({
          until: z.int().describe("Unix seconds; a moment that is past does not wait"),
        }),
      ]),
      output: z.strictObject({}),
    },
    wait_for_review: {
      title: "Wait for a review",
      description:
        "Waits until somebody answers the review through the API, or its time is over. Durable: it costs no worker. The step is a success whatever the decision; edges branch on it.",
      input: z.strictObject({
        prompt: z.string().optional().describe("What the reviewer is asked"),
        timeout: z.string().regex(DURATION_PATTERN).optional().describe("How long, e.g. 24h"),
        on_timeout: z
          .enum(ON_TIMEOUT)
          .default("fail")
          .describe("What happens when nobody has answered in time"),
      }),
      output: z.strictObject({
        decision: z.enum(REVIEW_DECISIONS),
        comment: z.string().nullable(),
        decided_by: z.string().nullable().describe("Id of the API key; null after a timeout"),
        decided_at: z.int().describe("Unix seconds"),
      }),
    },
    run_workflow: {
      title: "Run a workflow",
      description:
        "Runs another workflow of the same org as a run of its own, and waits for its end unless told not to. A child run that fails or is canceled fails the step; canceling the run cancels the child runs that it waits for.",
      input: z.strictObject({
        workflow_name: z.string().min(1).describe("The workflow to run"),
        input: z.record(z.string(), z.json()).default({}).describe("The input of its run"),
        wait: z
          .boolean()
          .default(true)
          .describe(
            "Whether the step waits for the end of the run; without it the run stands alone",
          ),
      }),
      output: z.strictObject({
        workflow_run_id: z.string(),
        status: z.enum(["completed", "started"]),
      }),
    },
    fail: {
      title: "Fail the run",
      description: "Ends the run as failed, with a message.",
      input: z.strictObject({ message: z.string().min(1).describe("Why the run fails") }),
      output: z.null(),
    },
  };

export const ENGINE_ACTION_DESCRIPTIONS: readonly ActionDescription[] = Object.entries(
  DESCRIPTIONS,
).map(([action, description]) => ({ action, ...description, defaults: {} }));
