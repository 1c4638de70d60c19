/**
 * A run whose workflow task is at this attempt or a later one counts as stuck: one failure may be a worker that
 * died, but two in a row are no accident. Temporal goes on trying, so the run goes on once the cause is fixed.
 */
export const STUCK_FROM_ATTEMPT = 3;
