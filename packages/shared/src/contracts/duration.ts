/** Form of a duration: a positive whole number and a unit, e.g. `500ms`, `30s`, `10m`, `24h`, `30d`. */
export const DURATION_PATTERN = /^[1-9][0-9]{0,15}(?:ms|s|m|h|d)$/;

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", SECOND_MS],
  ["m", 60 * SECOND_MS],
  ["h", HOUR_MS],
  ["d", DAY_MS],
]);

/** Longest timeout of a whole run: ten years. */
export const MAX_RUN_TIMEOUT = "3650d";
/** Longest timeout of one attempt, and longest pause between two attempts. */
export const MAX_ATTEMPT_TIMEOUT = "30d";

/**
 * Length of a duration text in milliseconds.
 *
 * @throws RangeError when the text does not match {@link DURATION_PATTERN} or is too large to be exact.
 */
export function durationMs(text: string): number {
  const length = parse(text);
  if (length === null) {
    throw new RangeError(`'${text}' is not a duration such as 500ms, 30s, 10m, 24h or 30d`);
  }
  return length;
}

/** Whether `text` is a duration that {@link durationMs} can read. */
export function isDuration(text: string): boolean {
  return parse(text) !== null;
}

function parse(text: string): number | null {
  if (!DURATION_PATTERN.test(text)) return null;
  const unitMs = UNIT_MS.get(text.replace(/^[0-9]+/, "")) ?? Number.NaN;
  const length = Number.parseInt(text, 10) * unitMs;
  return Number.isSafeInteger(length) ? length : null;
}
