import type { Artifact, RunStatus, StepStatus } from "@truerun/shared/contracts/statuses";

/** What callers see of a run, as far as it is used here. */
export interface RunView {
  status: RunStatus;
  completed_at: number | null;
  steps: {
    step_id: string;
    action_type: string;
    status: StepStatus | null;
    artifacts: Artifact[];
  }[];
}

/** Its child runs. */
export function toChildren({ steps }: RunView): string[] {
  const artifacts = steps.flatMap((step) => step.artifacts);
  return artifacts.filter((each) => each.artifact_type === "workflow_run").map(({ id }) => id);
}

/** Steps that wait for a review. */
export function toReviews({ steps }: RunView): string[] {
  const open = steps.filter((step) => step.action_type === "wait_for_review");
  return open.filter(({ status }) => status === null).map(({ step_id }) => step_id);
}
