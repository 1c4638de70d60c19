import type { Json, JsonObject } from "../contracts/json.ts";
import type { Cursor, Path, Scope } from "./path.ts";
import { ExpressionSyntaxError, lookUp, readPath, readQuoted, skipSpace, take } from "./path.ts";

/** One `${{ ... }}` of a template. */
export interface Reference {
  path: Path;
  /** What is used when the path leads to nothing; absent: there is no default. */
  fallback?: Json;
  /** As written, including `${{` and `}}`. */
  text: string;
}

/** A string's parts: plain text and references, in their order. */
export type Template = readonly (string | Reference)[];

const OPEN = "${{";
const CLOSE = /\}\}/y;
const DEFAULT = /\|\s*default\s*\(/y;
const PAREN_CLOSE = /\)/y;
/** JSON up to the closing parenthesis: JSON has none outside its strings. */
const JSON_TEXT = /(?:[^")]|"(?:[^"\\]|\\.)*")*/sy;

/**
 * Parses a string that may hold references.
 *
 * @throws ExpressionSyntaxError when a `${{` is not followed by a well-formed reference
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Reference)[] = [];
  let plainFrom = 0;
  for (;;) {
    const start = text.indexOf(OPEN, plainFrom);
    if (start < 0) break;
    if (start > plainFrom) parts.push(text.slice(plainFrom, start));
    const cursor = { text, position: start + OPEN.length };
    const reference = readReference(cursor);
    plainFrom = cursor.position;
    parts.push({ ...reference, text: text.slice(start, plainFrom) });
  }
  if (plainFrom < text.length) parts.push(text.slice(plainFrom));
  return parts;
}

function readReference(cursor: Cursor): Omit<Reference, "text"> {
  skipSpace(cursor);
  const path = readPath(cursor);
  skipSpace(cursor);
  const fallback = take(cursor, DEFAULT) === null ? undefined : readDefault(cursor);
  skipSpace(cursor);
  if (take(cursor, CLOSE) === null) {
    throw new ExpressionSyntaxError("'}}' or '| default(...)' is expected after the path");
  }
  return fallback === undefined ? { path } : { path, fallback };
}

function readDefault(cursor: Cursor): Json {
  skipSpace(cursor);
  const isQuoted = cursor.text[cursor.position] === "'";
  const literal = isQuoted ? readQuoted(cursor) : readJson(cursor);
  if (isQuoted && literal === null) {
    throw new ExpressionSyntaxError("the default's quote is not closed");
  }
  skipSpace(cursor);
  if (take(cursor, PAREN_CLOSE) === null) {
    throw new ExpressionSyntaxError("')' is expected after the default");
  }
  return literal;
}

function readJson(cursor: Cursor): Json {
  const text = take(cursor, JSON_TEXT) ?? "";
  try {
    return JSON.parse(text) as Json;
  } catch {
    const shown = JSON.stringify(text.trim());
    throw new ExpressionSyntaxError(
      `${shown} is not a default: a JSON value or a text in single quotes is expected`,
    );
  }
}

/** A value with its references replaced, or the texts of those that lead to nothing. */
export type Resolution<T extends Json> = { ok: true; value: T } | { ok: false; missing: string[] };

/**
 * Replaces all references in the strings of `value`. Property names are not templates.
 *
 * A reference alone in its string becomes the value that it leads to; in a longer string, that value's text:
 * strings as they are, everything else as JSON.
 */
export function resolveReferences(value: JsonObject, scope: Scope): Resolution<JsonObject>;
export function resolveReferences(value: Json, scope: Scope): Resolution<Json>;
export function resolveReferences(value: Json, scope: Scope): Resolution<Json> {
  const missing = new Set<string>();
  const resolved = resolveValue(value, scope, missing);
  return missing.size === 0 ? { ok: true, value: resolved } : { ok: false, missing: [...missing] };
}

function resolveValue(value: Json, scope: Scope, missing: Set<string>): Json {
  if (typeof value === "string") return resolveText(value, scope, missing);
  if (Array.isArray(value)) return value.map((item) => resolveValue(item, scope, missing));
  if (typeof value !== "object" || value === null) return value;
  const resolved: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    setOwn(resolved, name, resolveValue(item, scope, missing));
  }
  return resolved;
}

/** Sets a property of any name; assigning to `__proto__` would change the prototype instead. */
function setOwn(target: JsonObject, name: string, value: Json): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else {
    target[name] = value;
  }
}

function resolveText(text: string, scope: Scope, missing: Set<string>): Json {
  if (!text.includes(OPEN)) return text;
  const template = parseTemplate(text);
  const [only] = template;
  if (template.length === 1 && typeof only === "object") return resolveOne(only, scope, missing);
  const parts = template.map((part) => {
    const value = typeof part === "string" ? part : resolveOne(part, scope, missing);
    return typeof value === "string" ? value : JSON.stringify(value);
  });
  return parts.join("");
}

function resolveOne(reference: Reference, scope: Scope, missing: Set<string>): Json {
  // Not `??`: null is a value, and no default replaces it.
  const value = lookUp(reference.path, scope);
  if (value !== undefined) return value;
  if (reference.fallback !== undefined) return reference.fallback;
  missing.add(reference.text);
  return null;
}
