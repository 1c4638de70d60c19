import type { Json, JsonObject } from "../contracts/json.ts";
import {
  frameBytes,
  joinedBytes,
  jsonBytes,
  nameBytes,
  textBytes,
  type TextPart,
  toTextPart,
} from "./json-size.ts";
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

const LONG_STRING = 1_024;
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

/** Characters that texts with references in them may have together: more is counted, and not built. */
export const MAX_TEXT_LENGTH = 1024 * 1024;

/**
 * A value with its references replaced, and its bytes as JSON in UTF-8; or the texts of those references that
 * lead to nothing; or only the bytes, of a value with more text than was to be built.
 */
export type Resolution<T extends Json> =
  | { ok: true; value: T; missing?: never; bytes: number }
  | { ok: false; missing: string[]; bytes?: never }
  | { ok: false; missing?: never; bytes: number };

/** What is found out once for all resolutions of one value, as for the items of a fan-out. */
export class ResolutionMemory {
  readonly templates = new Map<string, Template>();
  /** {@link textBytes} of the long strings that references led to: one may be referred to often. */
  readonly longStrings = new Map<string, number>();
}

/** How {@link resolveReferences} works. */
export interface ResolutionOptions {
  /** In UTF-16 code units; default: {@link MAX_TEXT_LENGTH}. */
  maxTextLength?: number;
  /** That of earlier resolutions of the same value. */
  memory?: ResolutionMemory;
}

/**
 * Replaces all references in the strings of `value`. Property names are not templates.
 *
 * A reference alone in its string becomes the value that it leads to; in a longer string, that value's text:
 * strings as they are, everything else as JSON.
 */
export function resolveReferences(
  value: JsonObject,
  scope: Scope,
  options?: ResolutionOptions,
): Resolution<JsonObject>;
export function resolveReferences(
  value: Json,
  scope: Scope,
  options?: ResolutionOptions,
): Resolution<Json>;
export function resolveReferences(
  value: Json,
  scope: Scope,
  options: ResolutionOptions = {},
): Resolution<Json> {
  return new Resolver(scope, options).resolve(value);
}

/** Measures while it resolves: a few kilobytes of references can be gigabytes of text. */
class Resolver {
  readonly #scope: Scope;
  readonly #maxTextLength: number;
  readonly #memory: ResolutionMemory;
  readonly #missing = new Set<string>();
  #bytes = 0;
  #textLength = 0;

  constructor(scope: Scope, { maxTextLength, memory }: ResolutionOptions) {
    this.#scope = scope;
    this.#maxTextLength = maxTextLength ?? MAX_TEXT_LENGTH;
    this.#memory = memory ?? new ResolutionMemory();
  }

  resolve(value: Json): Resolution<Json> {
    const resolved = this.#resolveValue(value);
    const bytes = this.#bytes;
    if (this.#missing.size > 0) return { ok: false, missing: [...this.#missing] };
    return this.#isBuilt() ? { ok: true, value: resolved, bytes } : { ok: false, bytes };
  }

  #isBuilt(): boolean {
    return this.#textLength <= this.#maxTextLength;
  }

  #resolveValue(value: Json): Json {
    if (typeof value === "string") return this.#resolveText(value);
    if (typeof value !== "object" || value === null) return this.#measured(value);
    if (Array.isArray(value)) {
      this.#bytes += frameBytes(value.length);
      return value.map((item) => this.#resolveValue(item));
    }
    const resolved: JsonObject = {};
    const entries = Object.entries(value);
    this.#bytes += frameBytes(entries.length);
    for (const [name, item] of entries) {
      this.#bytes += nameBytes(name);
      setOwn(resolved, name, this.#resolveValue(item));
    }
    return resolved;
  }

  #resolveText(text: string): Json {
    if (!text.includes(OPEN)) return this.#measured(text);
    const template = remember(this.#memory.templates, text, parseTemplate);
    const [only] = template;
    if (template.length === 1 && typeof only === "object") {
      return this.#measured(this.#resolveOne(only));
    }
    return this.#join(template.map((part) => this.#toPart(part)));
  }

  #toPart(part: string | Reference): TextPart {
    const value = typeof part === "string" ? part : this.#resolveOne(part);
    if (typeof value === "string") return { text: value, bytes: this.#stringBytes(value) };
    return toTextPart(value);
  }

  #join(parts: readonly TextPart[]): string {
    this.#bytes += 2 + joinedBytes(parts);
    for (const { text } of parts) this.#textLength += text.length;
    return this.#isBuilt() ? parts.map(({ text }) => text).join("") : "";
  }

  #resolveOne(reference: Reference): Json {
    // Not `??`: null is a value, and no default replaces it.
    const value = lookUp(reference.path, this.#scope);
    if (value !== undefined) return value;
    if (reference.fallback !== undefined) return reference.fallback;
    this.#missing.add(reference.text);
    return null;
  }

  #measured(value: Json): Json {
    this.#bytes += typeof value === "string" ? 2 + this.#stringBytes(value) : jsonBytes(value);
    return value;
  }

  #stringBytes(text: string): number {
    if (text.length < LONG_STRING) return textBytes(text);
    return remember(this.#memory.longStrings, text, textBytes);
  }
}

function remember<T>(known: Map<string, T>, text: string, find: (text: string) => T): T {
  const found = known.get(text);
  if (found !== undefined) return found;
  const value = find(text);
  known.set(text, value);
  return value;
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
