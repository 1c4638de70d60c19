// Sandbox-safe.

/** Actions that the engine performs itself; every other is a component activity. */
export const ENGINE_ACTIONS = ["fail", "run_workflow", "wait", "wait_for_review"] as const;
export type EngineAction = (typeof ENGINE_ACTIONS)[number];

/** The engine action that ends the run. */
export const FAIL: EngineAction = "fail";

/** The action whose steps are runs of their own. */
export const RUN_WORKFLOW: EngineAction = "run_workflow";

/** The action whose steps somebody has to answer. */
export const WAIT_FOR_REVIEW: EngineAction = "wait_for_review";

export function isEngineAction(action: string): action is EngineAction {
  return (ENGINE_ACTIONS as readonly string[]).includes(action);
}

/** The form of a component's action. The engine's own local activities have names of another form. */
export const ACTION_PATTERN = /^[a-z][a-z0-9_]*$/;

/** The activity that the SDK falls back to for an unknown one; no component can have this name. */
export const UNKNOWN_ACTION = "default";

/** The local activity behind `run_workflow`; no component can have this name. */
export const CREATE_CHILD_RUN = "run_workflow:create_run";
