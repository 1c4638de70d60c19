/**
 * A run whose workflow task is at this attempt or a later one counts as stuck: two failures in a row are
 * no accident, while one may be a worker that died. Temporal goes on trying, so it gets loose by itself once the cause is mended.
 */
export const STUCK_FROM_ATTEMPT = 3;
