import { type Json, type JsonObject, MAX_RESULT_NESTING } from "@truerun/shared/contracts/json";

/** A value that JSON cannot carry. The message names its place. */
export class NotJsonError extends Error {
  override name = "NotJsonError";
}

/**
 * A deep copy that JSON carries exactly. Members that are undefined are dropped and `toJSON` is called,
 * as `JSON.stringify` does; but nothing is changed silently: what it would turn into `null` or `{}`
 * (NaN, functions in lists, a Map) is refused.
 *
 * @param place - what messages call the value itself: `output`
 * @throws {@link NotJsonError} naming the place of a function, symbol, BigInt, cycle, NaN, an infinity,
 * an instance of a class, or something nested too deeply
 */
export function toJsonValue(value: unknown, place: string): Json {
  return value === undefined ? null : copy(value, { place, ancestors: new Set(), key: "" });
}

interface Position {
  place: string;
  /** The key that `toJSON` is given. */
  key: string;
  /** The objects on the path to the value: one may stand in two places, but not in itself. */
  ancestors: Set<object>;
}

function copy(value: unknown, position: Position): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw refusal(position, `${value}`);
      return value;
    case "object":
      return value === null ? null : copyObject(value, position);
    case "bigint":
      throw refusal(position, "a BigInt");
    case "function":
    case "symbol":
    case "undefined":
      throw refusal(position, typeof value === "undefined" ? "undefined" : `a ${typeof value}`);
  }
}

function copyObject(value: object, position: Position): Json {
  if (position.ancestors.has(value)) throw refusal(position, "a reference to what holds it");
  if (position.ancestors.size >= MAX_RESULT_NESTING) {
    throw refusal(position, `nested more than ${MAX_RESULT_NESTING} levels deep`);
  }
  position.ancestors.add(value);
  const result = copyInner(value, position);
  position.ancestors.delete(value);
  return result;
}

function copyInner(value: object, position: Position): Json {
  const { place, ancestors } = position;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copy(value.toJSON(position.key), position);
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) =>
      copy(item, { place: `${place}[${index}]`, key: `${index}`, ancestors }),
    );
  }
  if (!isPlain(value)) throw refusal(position, `an instance of ${className(value)}`);
  return copyMembers(value, position);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function copyMembers(value: object, position: Position): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const member: unknown = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const place = `${position.place}${memberPlace(key)}`;
    // Assigning to `__proto__` would set the prototype; a defined property is an ordinary one.
    Object.defineProperty(result, key, {
      value: copy(member, { place, key, ancestors: position.ancestors }),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

function memberPlace(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 100))}]`;
}

function className(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== ""
    ? constructor.name
    : "a class";
}

function refusal(position: Position, what: string): NotJsonError {
  return new NotJsonError(`${position.place.slice(0, 500)}: ${what} cannot be carried by JSON`);
}
