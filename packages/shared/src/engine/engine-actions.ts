// Sandbox-safe.

/** Actions that the engine does itself; every other is a component activity. */
export const ENGINE_ACTIONS = ["fail", "run_workflow", "wait", "wait_for_review"] as const;
export type EngineAction = (typeof ENGINE_ACTIONS)[number];

export function isEngineAction(action: string): action is EngineAction {
  return (ENGINE_ACTIONS as readonly string[]).includes(action);
}

/** What the action of a component looks like. The engine's own local activities are named otherwise. */
export const ACTION_PATTERN = /^[a-z][a-z0-9_]*$/;

/** The local activity behind `run_workflow`, named as no component can be. */
export const CREATE_CHILD_RUN = "run_workflow:create_run";
