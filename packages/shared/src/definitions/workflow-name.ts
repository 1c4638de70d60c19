/** Maximum characters (Unicode code points) of a name. */
export const MAX_NAME_CHARACTERS = 255;
/** Maximum bytes of a name: Temporal's limit for a workflow type, which the name becomes. */
export const MAX_NAME_BYTES = 1_000;

const LONE_SURROGATE = /\p{Cs}/u;

/** Why a text cannot name a workflow definition. */
export type NameFault = "empty" | "too_many_characters" | "too_many_bytes" | "unstorable";

/**
 * Why `text` cannot name a workflow definition, or null when it can. NUL and lone surrogates cannot be
 * stored as text by Postgres; every other character is allowed.
 */
export function findNameFault(text: string): NameFault | null {
  if (text === "") return "empty";
  if (text.includes("\u0000") || LONE_SURROGATE.test(text)) return "unstorable";
  // The cheap check comes first: a code point is at most two UTF-16 code units.
  if (text.length > 2 * MAX_NAME_CHARACTERS || countCharacters(text) > MAX_NAME_CHARACTERS) {
    return "too_many_characters";
  }
  return Buffer.byteLength(text) > MAX_NAME_BYTES ? "too_many_bytes" : null;
}

/** Whether a definition can have this name. No other name needs to be looked up. */
export function isWorkflowName(text: string): boolean {
  return findNameFault(text) === null;
}

function countCharacters(text: string): number {
  return Array.from(text).length;
}
