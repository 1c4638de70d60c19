// Sandbox-safe: workflow code uses this too.

/** The replacement character: what stands where a text cannot be kept. */
const REPLACEMENT = "\uFFFD";

/**
 * The text as every store in the way can keep it: Postgres refuses NUL, and lone surrogates have no
 * UTF-8. One function for all writers, so that all write the same.
 */
export function toStorableText(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", REPLACEMENT);
}

/** The longest beginning of a storable text that has at most `maxBytes` bytes of UTF-8; cut ones end in `…`. */
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

/** Bytes of the text in UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The server takes 400 bytes of a summary, as JSON: quotes and backslashes count twice. */
const MAX_SUMMARY_BYTES = 180;

/**
 * A text as a line of Temporal Web UI: control characters, each of which would take six bytes of the limit,
 * become spaces, and what is too long is cut.
 *
 * @param reservedBytes - what the caller puts behind it
 */
export function toSummary(text: string, reservedBytes = 0): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return clipUtf8(line, MAX_SUMMARY_BYTES - reservedBytes);
}
