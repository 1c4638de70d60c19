/** What a run can be. Only {@link isTerminal} ones have a `completed_at`. */
export const RUN_STATUSES = ["started", "completed", "canceled", "failed"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What a step's record can say; a step without a result yet has `null`. */
export const STEP_STATUSES = ["success", "failed", "skipped"] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** Whether a run of this status has ended. */
export function isTerminal(status: RunStatus): boolean {
  return status !== "started";
}

/** Why a run failed or was canceled (`error.code` of get-run). */
export const RUN_ERROR_CODES = [
  "component_failed",
  "workflow_failed",
  "workflow_timed_out",
  "workflow_terminated",
  "workflow_canceled",
  "dispatch_expired",
  "dispatch_rejected",
  "execution_lost",
] as const;
export type RunErrorCode = (typeof RUN_ERROR_CODES)[number];

/** What an entity was to a step: consumed (`trigger`), or created or changed (`result`). */
export const ARTIFACT_ROLES = ["trigger", "result"] as const;
export type ArtifactRole = (typeof ARTIFACT_ROLES)[number];

/** An entity that a step worked with. */
export interface Artifact {
  artifact_type: string;
  id: string;
  role: ArtifactRole;
}
