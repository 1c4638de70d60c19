// Limits how deep runs may start runs. Sandbox-safe.
import { clipUtf8 } from "../storable-text.ts";

/** Maximum levels of child runs. */
const MAX_CHILD_DEPTH = 16;

const MAX_SHOWN_NAME_BYTES = 100;

/** One run of a chain, or one that would join it. */
export interface ChainLink {
  /** Equal for runs of the same definition. */
  definition: string;
  workflowName: string;
}

/** Why the last of a chain of runs must not be started by the one before it; null when it may. */
export function explainChain(chain: readonly ChainLink[]): string | null {
  const last = chain.at(-1);
  if (last === undefined) return null;
  const shown = chain
    .map(({ workflowName }) => clipUtf8(workflowName, MAX_SHOWN_NAME_BYTES))
    .join(" -> ");
  if (chain.slice(0, -1).some(({ definition }) => definition === last.definition)) {
    return `the workflow '${last.workflowName}' would run inside a run of its own: ${shown}`;
  }
  if (chain.length - 1 > MAX_CHILD_DEPTH) {
    return `child runs would be more than ${MAX_CHILD_DEPTH} deep: ${shown}`;
  }
  return null;
}
