// How large values are as JSON, without making their text: a definition of some kilobytes may refer to one large
// value a thousand times. Sandbox-safe.
import type { Json, JsonObject } from "../contracts/json.ts";

/** From this size on it pays to keep what is known of a value. */
const WORTH_KEEPING_BYTES = 1_024;

/** The sizes of large objects and lists. No state of a run: a value never changes, and its size goes with it. */
const sizes = new WeakMap<object, number>();

/** Bytes of `JSON.stringify(value)` in UTF-8. A large value is walked once, wherever it is referred to. */
export function jsonBytes(value: Json): number {
  if (typeof value === "string") return textBytes(value) + 2;
  if (!isObject(value)) return String(value).length;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const bytes = Array.isArray(value) ? listBytes(value) : objectBytes(value);
  if (bytes >= WORTH_KEEPING_BYTES) sizes.set(value, bytes);
  return bytes;
}

function listBytes(list: readonly Json[]): number {
  let bytes = frameBytes(list.length);
  for (const item of list) bytes += jsonBytes(item);
  return bytes;
}

function objectBytes(value: JsonObject): number {
  const names = Object.keys(value);
  let bytes = frameBytes(names.length);
  for (const name of names) bytes += nameBytes(name) + jsonBytes(value[name] as Json);
  return bytes;
}

/** What a list or an object of this length has around its members: brackets and commas. */
export function frameBytes(length: number): number {
  return 2 + Math.max(0, length - 1);
}

/** Bytes of a member's name with its quotes and colon. */
export function nameBytes(name: string): number {
  return textBytes(name) + 3;
}

/** Bytes of the text inside a JSON string: without its quotes, with everything escaped that JSON escapes. */
export function textBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += asciiBytes(unit);
    else if (unit < 0x800) bytes += 2;
    else if (!isSurrogate(unit)) bytes += 3;
    else if (isPair(unit, text.charCodeAt(at + 1))) {
      bytes += PAIR_BYTES;
      at++;
    } else bytes += LONE_BYTES;
  }
  return bytes;
}

/** A character outside the basic plane; half of one, which JSON escapes: `\ud800`. */
const PAIR_BYTES = 4;
const LONE_BYTES = 6;

function asciiBytes(unit: number): number {
  if (unit >= 0x20) return unit === 0x22 || unit === 0x5c ? 2 : 1;
  // \b, \t, \n, \f and \r have a short form; the others are \u0000.
  return unit >= 0x08 && unit <= 0x0d && unit !== 0x0b ? 2 : 6;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function isPair(high: number, low: number): boolean {
  return high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** A text that becomes part of a longer one, and its {@link textBytes}. */
export interface TextPart {
  text: string;
  bytes: number;
}

function isObject(value: Json): value is Json[] | JsonObject {
  return typeof value === "object" && value !== null;
}

/** The texts of large values that stand inside longer texts; kept like {@link sizes}. */
const texts = new WeakMap<object, TextPart>();

/** What stands in a longer text for a value that is no text: its JSON. */
export function toTextPart(value: Exclude<Json, string>): TextPart {
  const known = isObject(value) ? texts.get(value) : undefined;
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  const part = { text, bytes: textBytes(text) };
  if (isObject(value) && text.length >= WORTH_KEEPING_BYTES) texts.set(value, part);
  return part;
}

/** The {@link textBytes} of all parts joined: halves of a character in two parts become one character. */
export function joinedBytes(parts: readonly TextPart[]): number {
  let bytes = 0;
  let last = Number.NaN;
  for (const { text, bytes: own } of parts) {
    if (text === "") continue;
    bytes += own;
    if (isSurrogate(last) && isPair(last, text.charCodeAt(0))) bytes += PAIR_BYTES - 2 * LONE_BYTES;
    last = text.charCodeAt(text.length - 1);
  }
  return bytes;
}
