/** A change of the rules that matters to runs under way, by the name that its patch has in histories. */
export type RuleChange = "limit-of-texts-in-for-each" | "status-of-a-step-just-skipped";

/**
 * Whether a run follows a rule as it was changed. To be asked only where that makes a difference: the run's
 * history then says so.
 */
export type HasChange = (change: RuleChange) => boolean;
