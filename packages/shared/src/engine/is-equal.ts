import type { Json, JsonObject } from "../contracts/json.ts";

/** Whether two JSON values are the same; the order of an object's keys does not matter. */
export function isEqual(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (!isObject(left) || !isObject(right)) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => {
      const other = right[index];
      return other !== undefined && isEqual(item, other);
    });
  }
  if (countKeys(left) !== countKeys(right)) return false;
  return Object.keys(left).every((name) => {
    const item = left[name];
    const other = Object.hasOwn(right, name) ? right[name] : undefined;
    return item !== undefined && other !== undefined && isEqual(item, other);
  });
}

function isObject(value: Json): value is Json[] | JsonObject {
  return typeof value === "object" && value !== null;
}

/** From this length on it pays to keep it. */
const MANY_KEYS = 8;

/**
 * How many keys objects have that have many: to count them takes a walk, and one object may be compared with
 * every item of a list. No state of a run: a value never changes, and its count goes with it.
 */
const keyCounts = new WeakMap<JsonObject, number>();

function countKeys(value: JsonObject): number {
  const known = keyCounts.get(value);
  if (known !== undefined) return known;
  const { length } = Object.keys(value);
  if (length >= MANY_KEYS) keyCounts.set(value, length);
  return length;
}

/** From this length on, a list that is asked this often has its members indexed: that takes memory. */
const LONG_LIST = 1_000;
const OFTEN = 16;

interface Asked {
  times: number;
  members: Members | null;
}

interface Members {
  plain: ReadonlySet<Json>;
  /** Lists and objects, as {@link toCanonical} writes them. */
  nested: ReadonlySet<string>;
}

/** The long lists that were asked about. No state of a run, as above. */
const asked = new WeakMap<readonly Json[], Asked>();

/** Whether a list has an item that {@link isEqual} to the value. */
export function hasMember(list: readonly Json[], value: Json): boolean {
  const members = list.length < LONG_LIST ? null : findMembers(list);
  if (members !== null) {
    return isObject(value) ? members.nested.has(toCanonical(value)) : members.plain.has(value);
  }
  // Much faster than asking each item, and the same: JSON has no NaN.
  if (!isObject(value)) return list.includes(value);
  return list.some((item) => isEqual(item, value));
}

function findMembers(list: readonly Json[]): Members | null {
  const known = asked.get(list) ?? { times: 0, members: null };
  asked.set(list, known);
  known.times++;
  if (known.times > OFTEN) known.members ??= toMembers(list);
  return known.members;
}

function toMembers(list: readonly Json[]): Members {
  return {
    plain: new Set(list.filter((item) => !isObject(item))),
    nested: new Set(list.filter(isObject).map(toCanonical)),
  };
}

/** A value's JSON, its keys in one order: the same text for all that are equal. */
function toCanonical(value: Json): string {
  if (!isObject(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toCanonical).join()}]`;
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${toCanonical(value[name] as Json)}`);
  return `{${members.join()}}`;
}
