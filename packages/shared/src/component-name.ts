// What a component's action may be called, and its file.
import { isEngineAction, UNKNOWN_ACTION } from "./engine/engine-actions.ts";

/** Who uses an action's name already: the engine, or Temporal's SDK. */
export type NameOwner = "engine" | "sdk";

/** Null when a component may have the action. */
export function findNameOwner(action: string): NameOwner | null {
  if (isEngineAction(action)) return "engine";
  return action === UNKNOWN_ACTION ? "sdk" : null;
}

/** The name, without its extension, of the file that holds an action: dashes for underscores. */
export function toFileName(action: string): string {
  return action.replaceAll("_", "-");
}
