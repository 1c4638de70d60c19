/**
 * How long a run may wait for its dispatch; then the sweeper ends it. The namespace's retention must exceed it:
 * a run that Temporal ran and forgot would be started a second time.
 */
export const DISPATCH_WINDOW_HOURS = 24;

/**
 * How old a run may be for a repeat of its request to dispatch it: less than the dispatch window, so that no
 * repeat starts a run just as the sweeper is ending it.
 */
export const REPEAT_WINDOW_MINUTES = DISPATCH_WINDOW_HOURS * 60 - 10;
