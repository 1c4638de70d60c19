/** A limit that a value does not keep, by its keyword in JSON Schema. */
export type LimitKeyword =
  | "minimum"
  | "maximum"
  | "exclusiveMinimum"
  | "exclusiveMaximum"
  | "minLength"
  | "maxLength"
  | "minItems"
  | "maxItems";

type Words = (limit: number, value: unknown) => readonly [type: string, msg: string];

const WORDS: Readonly<Record<LimitKeyword, Words>> = {
  minimum: (limit) => ["greater_than_equal", `Input should be greater than or equal to ${limit}`],
  maximum: (limit) => ["less_than_equal", `Input should be less than or equal to ${limit}`],
  exclusiveMinimum: (limit) => ["greater_than", `Input should be greater than ${limit}`],
  exclusiveMaximum: (limit) => ["less_than", `Input should be less than ${limit}`],
  minLength: (limit) => [
    "string_too_short",
    `String should have at least ${count(limit, "character")}`,
  ],
  maxLength: (limit) => [
    "string_too_long",
    `String should have at most ${count(limit, "character")}`,
  ],
  minItems: (limit, value) => [
    "too_short",
    `List should have at least ${count(limit, "item")} after validation, not ${lengthOf(value)}`,
  ],
  maxItems: (limit, value) => [
    "too_long",
    `List should have at most ${count(limit, "item")} after validation, not ${lengthOf(value)}`,
  ],
};

/** Whether Pydantic has words for what this keyword of JSON Schema limits. */
export function isLimitKeyword(keyword: string): keyword is LimitKeyword {
  return Object.hasOwn(WORDS, keyword);
}

/** Pydantic's type and message for a value that does not keep a limit, whoever found that. */
export function toLimitWords(
  keyword: LimitKeyword,
  limit: number,
  value: unknown,
): readonly [type: string, msg: string] {
  return WORDS[keyword](limit, value);
}

function count(limit: number, word: string): string {
  return `${limit} ${word}${limit === 1 ? "" : "s"}`;
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
