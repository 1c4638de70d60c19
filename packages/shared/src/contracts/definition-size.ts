import { utf8Bytes } from "../storable-text.ts";
import { MAX_DEFINITION_BYTES } from "./definition.ts";
import { viewDefinition } from "./definition-view.ts";
import { type Fault, valueFault } from "./faults.ts";
import { isJsonObject, MAX_NESTING, nestsDeeper } from "./json.ts";

/** 256 KiB of nothing but edges have some 48,000. */
const MAX_VALUES = 60_000;
/**
 * In all conditions together. 256 KiB of the shortest comparisons have some 7,900; but of nodes that are none, each of
 * which takes the check of its form some 80 µs, they have 80,000.
 */
const MAX_NODES = 8_000;
/** In UTF-16 code units. 256 KiB of short values, each sixty characters deep, have 2 Mi. */
const MAX_PLACE_TEXT = 8 * 1_024 * 1_024;

/**
 * Why a definition is too large for the other checks: deep nesting would exhaust their stack, and they take time
 * and memory for each value and for its place, which a few long keys can make huge.
 *
 * @returns null when it is not
 */
export function findSizeFault(input: unknown): Fault | null {
  if (nestsDeeper(input, MAX_NESTING)) {
    return valueFault([], `the definition nests deeper than ${MAX_NESTING} levels`);
  }
  const bytes = utf8Bytes(JSON.stringify(input));
  if (bytes > MAX_DEFINITION_BYTES) {
    const limit = `${MAX_DEFINITION_BYTES} are the most`;
    return valueFault([], `the definition has ${bytes} bytes as JSON; ${limit}`);
  }
  const edges = viewDefinition(input).flatMap(({ next }) => next);
  const conditions = edges.flatMap(({ when }) => (when === undefined ? [] : [when]));
  if (countNodes(conditions) > MAX_NODES) {
    return valueFault([], `the definition's conditions have more than ${MAX_NODES} nodes`);
  }
  const sum = { values: 0, placeText: 0 };
  addUp(input, { place: 0, isForm: true }, sum);
  if (sum.values > MAX_VALUES) {
    const where = "outside of 'with' and 'for_each'";
    return valueFault([], `the definition has more than ${MAX_VALUES} values ${where}`);
  }
  if (sum.placeText <= MAX_PLACE_TEXT) return null;
  const limit = `${MAX_PLACE_TEXT} characters are the most`;
  return valueFault(
    [],
    `the definition's keys are too long for its many values: in all their places, ${limit}`,
  );
}

interface Here {
  /** Length of the value's place. */
  place: number;
  /** Whether it belongs to the definition's form, not to what its components get. */
  isForm: boolean;
}

function addUp(value: unknown, here: Here, sum: { values: number; placeText: number }): void {
  sum.placeText += here.place;
  if (here.isForm) sum.values += 1;
  if (sum.placeText > MAX_PLACE_TEXT || sum.values > MAX_VALUES) return;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const isForm = here.isForm && key !== "with" && key !== "for_each";
    addUp(part, { place: here.place + key.length, isForm }, sum);
  }
}

function countNodes(conditions: readonly unknown[]): number {
  return conditions.reduce((sum: number, condition) => {
    if (!isJsonObject(condition)) return sum + 1;
    const { all, any, not } = condition;
    const groups = [all, any, not === undefined ? [] : [not]].filter(Array.isArray);
    return sum + 1 + countNodes(groups.flat());
  }, 0);
}
