import type { Condition, ConditionLeaf } from "../contracts/definition.ts";
import type { Json } from "../contracts/json.ts";
import { includesText } from "./includes-text.ts";
import { hasMember, isEqual } from "./is-equal.ts";
import type { Scope } from "./path.ts";
import { lookUp, parsePath } from "./path.ts";
import { showValue } from "./show-value.ts";

/** Whether a condition held, and which of its comparisons decided that, with the values they saw. */
export interface ConditionVerdict {
  holds: boolean;
  /** E.g. `input.n lte 10 (was 50)`. Made when it is asked for: few verdicts end in a message. */
  explain: () => string;
}

/**
 * Evaluates a condition. Always terminates; depends on nothing but its arguments.
 *
 * @throws ExpressionSyntaxError when a path is malformed, which it never is in a saved definition
 */
export function evaluateCondition(condition: Condition, scope: Scope): ConditionVerdict {
  if ("all" in condition) return combine(condition.all, scope, false);
  if ("any" in condition) return combine(condition.any, scope, true);
  if ("not" in condition) {
    const { holds, explain } = evaluateCondition(condition.not, scope);
    return { holds: !holds, explain: () => `not (${explain()})` };
  }
  const seen = lookUp(parsePath(condition.path), scope);
  return { holds: compare(condition, seen), explain: () => explainLeaf(condition, seen) };
}

/** `all` is decided by its first member that does not hold, `any` by its first that does. */
function combine(members: readonly Condition[], scope: Scope, decisive: boolean): ConditionVerdict {
  const verdicts: ConditionVerdict[] = [];
  for (const member of members) {
    const verdict = evaluateCondition(member, scope);
    if (verdict.holds === decisive) return verdict;
    verdicts.push(verdict);
  }
  const none = decisive ? "any of no conditions" : "all of no conditions";
  const explain = (): string => verdicts.map((verdict) => verdict.explain()).join(" and ") || none;
  return { holds: !decisive, explain };
}

/** Against a missing value, or across types, `ne` is true and every other comparison (except `exists`) false. */
function compare(leaf: ConditionLeaf, seen: Json | undefined): boolean {
  const { op, value } = leaf;
  if (op === "exists") return (seen !== undefined) === (value !== false);
  if (seen === undefined || value === undefined) return op === "ne";
  switch (op) {
    case "eq":
      return isEqual(seen, value);
    case "ne":
      return !isEqual(seen, value);
    case "gt":
      return compareOrder(seen, value) === 1;
    case "gte":
      return [0, 1].includes(compareOrder(seen, value));
    case "lt":
      return compareOrder(seen, value) === -1;
    case "lte":
      return [0, -1].includes(compareOrder(seen, value));
    case "in":
      return Array.isArray(value) && hasMember(value, seen);
    case "contains":
      return typeof seen === "string"
        ? typeof value === "string" && includesText(seen, value)
        : Array.isArray(seen) && hasMember(seen, value);
    case "starts_with":
      return typeof seen === "string" && typeof value === "string" && seen.startsWith(value);
  }
}

/** Order of two numbers or of two texts (by UTF-16 code units), NaN when they have none. */
function compareOrder(left: Json, right: Json): number {
  if (typeof left === "number" && typeof right === "number") return Math.sign(left - right);
  if (typeof left !== "string" || typeof right !== "string") return Number.NaN;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function explainLeaf({ path, op, value }: ConditionLeaf, seen: Json | undefined): string {
  const compared = value === undefined ? "" : ` ${showValue(value)}`;
  return `${path} ${op}${compared} (was ${seen === undefined ? "missing" : showValue(seen)})`;
}
