import {
  ExpressionSyntaxError,
  isItemPath,
  type Path,
  parsePath,
  stepKeyOf,
} from "../engine/path.ts";
import { parseTemplate } from "../engine/references.ts";
import { CONDITION_OPS, MAX_CONDITION_DEPTH, MAX_CONDITION_NODES } from "./definition.ts";
import type { Upstream } from "./definition-graph.ts";
import type { ComponentView } from "./definition-view.ts";
import type { Fault, FaultPlace } from "./faults.ts";
import { valueFault } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import { isJsonObject } from "./json.ts";

/** Which steps an expression may read: those that are decided, in every run, when it is evaluated. */
interface Visible {
  upstream: Upstream;
  /** Null: unknown, every step of the definition may be read. */
  keys: ReadonlySet<string> | null;
  /** Whether there is an item: in the `with` of a component with `for_each`. */
  hasItem?: boolean;
}

/** Faults of a component's references (in `with` and `for_each`) and of the conditions on its edges. */
export function checkExpressions(component: ComponentView, upstream: Upstream): Fault[] {
  const { key, loc, next } = component;
  const before = key === null ? null : upstream.of(key);
  const afterwards = key === null || before === null ? null : new Set([...before, key]);
  const hasItem = component.forEach !== undefined;
  return [
    ...checkReferences(component.with, [...loc, "with"], { upstream, keys: before, hasItem }),
    ...checkForEach(component, { upstream, keys: before }),
    ...next.flatMap(({ when, loc: edge }) =>
      when === undefined
        ? []
        : checkCondition(when, [...edge, "when"], { upstream, keys: afterwards }),
    ),
  ];
}

function checkForEach({ forEach, hasConcurrency, loc }: ComponentView, visible: Visible): Fault[] {
  if (forEach === undefined) {
    if (!hasConcurrency) return [];
    return [valueFault([...loc, "max_concurrency"], "it needs 'for_each' beside it")];
  }
  const place = [...loc, "for_each"];
  const faults = checkReferences(forEach, place, visible);
  if (faults.length > 0 || typeof forEach !== "string") return faults;
  const [only, ...others] = parseTemplate(forEach);
  if (typeof only === "object" && others.length === 0) return [];
  return [
    valueFault(place, "a list or one reference alone, such as ${{ input.items }}, is expected"),
  ];
}

function checkReferences(value: unknown, loc: FaultPlace, visible: Visible): Fault[] {
  if (typeof value === "string") return checkTemplate(value, loc, visible);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => checkReferences(item, [...loc, index], visible));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    checkReferences(item, [...loc, name], visible),
  );
}

function checkTemplate(text: string, loc: FaultPlace, visible: Visible): Fault[] {
  return reportSyntax(loc, "bad reference", () =>
    parseTemplate(text).flatMap((part) =>
      typeof part === "string" ? [] : checkPath(part.path, loc, visible),
    ),
  );
}

function reportSyntax(loc: FaultPlace, what: string, check: () => Fault[]): Fault[] {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    return [valueFault(loc, `${what}: ${error.message}`)];
  }
}

function checkPath(
  path: Path,
  loc: FaultPlace,
  { upstream, keys, hasItem = false }: Visible,
): Fault[] {
  if (isItemPath(path) && !hasItem) {
    return [
      valueFault(loc, `'${path[0]}' is there only in the 'with' of a component with 'for_each'`),
    ];
  }
  const key = stepKeyOf(path);
  if (key === null || keys?.has(key)) return [];
  if (!upstream.hasKey(key)) return [valueFault(loc, `no component has the key '${key}'`)];
  if (keys === null) return [];
  const message = `component '${key}' does not lead here, so its step may be undecided`;
  return [valueFault(loc, message)];
}

/** Faults of a condition beyond its form: its size, its paths, and values that do not suit their op. */
function checkCondition(condition: unknown, loc: FaultPlace, visible: Visible): Fault[] {
  const faults: Fault[] = [];
  let nodes = 0;
  let depth = 0;
  const walk = (node: unknown, place: FaultPlace, level: number): void => {
    nodes++;
    depth = Math.max(depth, level);
    if (!isJsonObject(node)) return;
    for (const group of ["all", "any"]) {
      const members = node[group];
      if (!Array.isArray(members)) continue;
      for (const [index, item] of members.entries())
        walk(item, [...place, group, index], level + 1);
    }
    if (Object.hasOwn(node, "not")) walk(node["not"], [...place, "not"], level + 1);
    faults.push(...checkLeaf(node, place, visible));
  };
  walk(condition, loc, 1);
  if (depth > MAX_CONDITION_DEPTH) {
    faults.push(valueFault(loc, `the condition nests deeper than ${MAX_CONDITION_DEPTH} levels`));
  }
  if (nodes > MAX_CONDITION_NODES) {
    faults.push(valueFault(loc, `the condition has more than ${MAX_CONDITION_NODES} nodes`));
  }
  return faults;
}

function checkLeaf(leaf: JsonObject, loc: FaultPlace, visible: Visible): Fault[] {
  const { path, op } = leaf;
  const faults: Fault[] = [];
  if (typeof path === "string" && path !== "") {
    const place = [...loc, "path"];
    faults.push(
      ...reportSyntax(place, "bad path", () => checkPath(parsePath(path), place, visible)),
    );
  }
  const known = CONDITION_OPS.find((each) => each === op);
  if (known === undefined) return faults;
  const fault = checkValue(known, leaf["value"]);
  if (fault !== null) faults.push({ loc: [...loc, "value"], ...fault });
  return faults;
}

/** Refuses values against which the op could never hold. */
function checkValue(op: (typeof CONDITION_OPS)[number], value: unknown): Omit<Fault, "loc"> | null {
  if (op === "exists") {
    if (value === undefined || typeof value === "boolean") return null;
    return { msg: "Input should be a valid boolean", type: "bool_type" };
  }
  if (value === undefined) return { msg: "Field required", type: "missing" };
  switch (op) {
    case "eq":
    case "ne":
    case "contains":
      return null;
    case "in":
      if (Array.isArray(value)) return null;
      return { msg: "Input should be a valid list", type: "list_type" };
    case "starts_with":
      if (typeof value === "string") return null;
      return { msg: "Input should be a valid string", type: "string_type" };
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      if (typeof value === "number" || typeof value === "string") return null;
      const msg = `Value error, '${op}' compares with a number or a string`;
      return { msg, type: "value_error" };
    }
  }
}
