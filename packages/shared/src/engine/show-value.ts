import type { Json } from "../contracts/json.ts";
import { clipUtf8 } from "../storable-text.ts";

/** How much of a value an explanation shows. */
const SHOWN_BYTES = 120;
/** As much of a JSON text as decides what is shown of it: a character has at least one byte. */
const ENOUGH_LENGTH = SHOWN_BYTES + 1;

/** What was shown of objects and lists. No state of a run: a value never changes, and this goes with it. */
const shown = new WeakMap<object, string>();

/**
 * The beginning of a value's JSON, for messages. Histories' replays are compared by them, so it is to the byte
 * what clipping the whole text gives; that text is not made, and a value is looked at once.
 */
export function showValue(value: Json): string {
  if (typeof value !== "object" || value === null) return show(value);
  const known = shown.get(value) ?? show(value);
  shown.set(value, known);
  return known;
}

function show(value: Json): string {
  return clipUtf8(beginJson(value), SHOWN_BYTES);
}

/** `JSON.stringify(value)`, or at least as much of its beginning as is {@link ENOUGH_LENGTH}. */
function beginJson(value: Json): string {
  if (typeof value === "string") return beginString(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) {
      text += `${text === "" ? "[" : ","}${beginJson(item)}`;
      if (text.length >= ENOUGH_LENGTH) return text;
    }
    return text === "" ? "[]" : `${text}]`;
  }
  for (const name of Object.keys(value)) {
    text += `${text === "" ? "{" : ","}${beginString(name)}:${beginJson(value[name] as Json)}`;
    if (text.length >= ENOUGH_LENGTH) return text;
  }
  return text === "" ? "{}" : `${text}}`;
}

function beginString(text: string): string {
  if (text.length <= ENOUGH_LENGTH) return JSON.stringify(text);
  // Whatever the cut makes of a character's half is behind what is shown.
  return JSON.stringify(text.slice(0, ENOUGH_LENGTH + 1));
}
