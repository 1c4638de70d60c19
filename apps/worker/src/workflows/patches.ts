// The changes of workflow code that are guarded by `patched`, by the names that they have in histories. Those of the
// reducer's rules are in `packages/shared/src/engine/rule-change.ts`.

/** Before, whatever an operator completed a step with was spread over its outcome. */
export const ANY_RESULT_IS_AN_OUTPUT = "any-result-is-an-output";

/** Before, steps canceled because of their batch's outputs said only "Canceled with its batch." */
export const BATCHES_NAME_THEIR_LIMIT = "batches-name-their-limit";

/** Before, checks of external steps ran side by side, with their pauses inside the workflow task. */
export const CHECKS_TAKE_TURNS = "checks-of-external-steps-take-turns";

/** Before, runs made their child runs side by side. */
export const CHILD_RUNS_TAKE_TURNS = "child-runs-take-turns";

/** Before, a canceled run missed child runs that a reset had taken over. */
export const CHILD_RUNS_TAKEN_OVER = "child-runs-taken-over-are-canceled";

/** Before, a step that ended woke all those that waited for its place. */
export const PLACES_ARE_HANDED_ON = "places-are-handed-on";
