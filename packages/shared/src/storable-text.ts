// Sandbox-safe: workflow code uses this too.

/** The replacement character, for what cannot be kept. */
const REPLACEMENT = "\uFFFD";

/**
 * The text as every store involved can keep it: Postgres refuses NUL, and lone surrogates have no UTF-8
 * form. One function for all writers, so that all write the same.
 */
export function toStorableText(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", REPLACEMENT);
}

/** The text, made storable and cut to at most `maxBytes` bytes of UTF-8; if cut, it ends in `…`. */
export function clipUtf8(text: string, maxBytes: number): string {
  const storable = toStorableText(text);
  if (storable.length * 3 <= maxBytes || utf8Bytes(storable) <= maxBytes) return storable;
  let bytes = 3;
  let end = 0;
  for (const character of storable) {
    bytes += utf8Bytes(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return `${storable.slice(0, end)}…`;
}

/** Longest message of a step or a run: histories hold it, and every read of the run. */
const MAX_MESSAGE_BYTES = 2_000;

/** A message of a step or a run, made storable and cut. */
export function clipMessage(message: string): string {
  return clipUtf8(message, MAX_MESSAGE_BYTES);
}

/** Bytes of the text in UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The server accepts 400 bytes of a summary, as JSON: quotes and backslashes count twice. */
const MAX_SUMMARY_BYTES = 180;

/**
 * A text as one line of Temporal Web UI: control characters, each of which would take six bytes of the limit,
 * become spaces, and too long a text is cut.
 *
 * @param reservedBytes - for what the caller appends
 */
export function toOneLine(text: string, reservedBytes = 0): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return clipUtf8(line, MAX_SUMMARY_BYTES - reservedBytes);
}
