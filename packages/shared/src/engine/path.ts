import type { Json } from "../contracts/json.ts";

/** Names of the nested properties and list indexes that lead to a value, the root first. */
export type Path = readonly [root: string, ...rest: string[]];

/** What a path can lead into. `steps` holds only those that have a status. */
export interface Scope {
  input: Json;
  run: { id: string; workflow_name: string; started_at: number };
  steps: ReadonlyMap<string, StepView>;
  /** In a `for_each`: the current item and its place in the list. */
  item?: { value: Json; index: number };
}

/** What references and conditions see of a step. */
export interface StepView {
  /** Undefined: nothing is found at its path. */
  status: string | undefined;
  /** Absent: the step has no output. */
  output?: Json;
}

/** A text that is not a path, reference or template; the message says what is wrong with it. */
export class ExpressionSyntaxError extends Error {
  override readonly name = "ExpressionSyntaxError";
}

const NAME = /[\p{L}\p{N}_-]+/uy;
const ROOT = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPACE = /\s*/y;
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy;
const INDEX = /0|[1-9][0-9]*/y;
const RUN_FIELDS: readonly string[] = ["id", "workflow_name", "started_at"];
const STEP_FIELDS: readonly string[] = ["output", "status"];

/** A cursor over an expression's text. */
export interface Cursor {
  readonly text: string;
  position: number;
}

/** Reads what the sticky `pattern` matches at the cursor, or returns null and stays. */
export function take(cursor: Cursor, pattern: RegExp): string | null {
  pattern.lastIndex = cursor.position;
  const found = pattern.exec(cursor.text)?.[0];
  if (found === undefined) return null;
  cursor.position += found.length;
  return found;
}

export function skipSpace(cursor: Cursor): void {
  take(cursor, SPACE);
}

/**
 * Reads a path at the cursor: names after dots (`a.0.b`), indexes and quoted names in brackets
 * (`a[0]["odd key"]`).
 *
 * @throws ExpressionSyntaxError when there is none, or its form alone shows that it leads nowhere
 */
export function readPath(cursor: Cursor): Path {
  const start = cursor.position;
  const root = take(cursor, ROOT);
  if (root === null) throw new ExpressionSyntaxError("a path such as input.name is expected");
  const rest: string[] = [];
  for (;;) {
    const segment = readSegment(cursor);
    if (segment === null) break;
    rest.push(segment);
  }
  checkRoot(root, rest, cursor.text.slice(start, cursor.position));
  return [root, ...rest];
}

/** Parses a whole text as a path. @throws ExpressionSyntaxError as {@link readPath} */
export function parsePath(text: string): Path {
  const cursor = { text, position: 0 };
  const path = readPath(cursor);
  if (cursor.position === text.length) return path;
  const excess = JSON.stringify(text.slice(cursor.position));
  throw new ExpressionSyntaxError(`${excess} after the path is not understood`);
}

function readSegment(cursor: Cursor): string | null {
  const next = cursor.text[cursor.position];
  if (next === ".") {
    cursor.position++;
    const name = take(cursor, NAME);
    if (name === null) throw new ExpressionSyntaxError("a name or an index is expected after '.'");
    return name;
  }
  if (next !== "[") return null;
  cursor.position++;
  skipSpace(cursor);
  const segment = take(cursor, INDEX) ?? readQuoted(cursor);
  skipSpace(cursor);
  if (segment === null || cursor.text[cursor.position] !== "]") {
    throw new ExpressionSyntaxError("an index or a quoted name and ']' are expected after '['");
  }
  cursor.position++;
  return segment;
}

/** Reads a string in double quotes (JSON's) or single quotes; null when there is none at the cursor. */
export function readQuoted(cursor: Cursor): string | null {
  const quoted = take(cursor, QUOTED);
  if (quoted === null) return null;
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll(/\\(['\\])/g, "$1");
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw new ExpressionSyntaxError(`${quoted} is not a JSON string`);
  }
}

function checkRoot(root: string, rest: readonly string[], text: string): void {
  const [first, second] = rest;
  if (root === "input") return;
  if (root === "steps") {
    if (second !== undefined && STEP_FIELDS.includes(second)) return;
    throw new ExpressionSyntaxError(
      `'${text}' should be steps.<key>.output... or steps.<key>.status`,
    );
  }
  if (root === "run") {
    if (first !== undefined && RUN_FIELDS.includes(first) && second === undefined) return;
    throw new ExpressionSyntaxError(
      `'${text}' should be run.id, run.workflow_name or run.started_at`,
    );
  }
  if (root === "item") return;
  if (root === "index") {
    if (first === undefined) return;
    throw new ExpressionSyntaxError(`'${text}' should be index alone, which is a number`);
  }
  throw new ExpressionSyntaxError(`'${text}' should begin with input, steps, run, item or index`);
}

/** Whether a path leads to the item of a `for_each`, so that only such a component may use it. */
export function isItemPath([root]: Path): boolean {
  return root === "item" || root === "index";
}

/** The step that a path leads into, or null. */
export function stepKeyOf([root, key]: Path): string | null {
  return root === "steps" ? (key ?? null) : null;
}

/** The value that `path` leads to, or undefined when there is none. */
export function lookUp([root, ...rest]: Path, scope: Scope): Json | undefined {
  if (root === "input") return descend(scope.input, rest);
  if (root === "item") return scope.item && descend(scope.item.value, rest);
  if (root === "index") return scope.item?.index;
  const [first, second, ...below] = rest;
  if (first === undefined) return undefined;
  if (root === "run") return rest.length === 1 ? runField(scope, first) : undefined;
  const step = root === "steps" ? scope.steps.get(first) : undefined;
  if (step === undefined) return undefined;
  if (second === "status") return step.status && descend(step.status, below);
  return second === "output" && step.output !== undefined ? descend(step.output, below) : undefined;
}

function runField(scope: Scope, name: string): Json | undefined {
  switch (name) {
    case "id":
      return scope.run.id;
    case "workflow_name":
      return scope.run.workflow_name;
    case "started_at":
      return scope.run.started_at;
    default:
      return undefined;
  }
}

const LIST_INDEX = /^(?:0|[1-9][0-9]{0,15})$/;

/** Own properties and list indexes only: nothing inherited (`constructor`, `length`) can be reached. */
function descend(from: Json, names: readonly string[]): Json | undefined {
  let value: Json | undefined = from;
  for (const name of names) {
    if (Array.isArray(value)) {
      value = LIST_INDEX.test(name) ? value[Number(name)] : undefined;
    } else if (typeof value === "object" && value !== null) {
      value = Object.hasOwn(value, name) ? value[name] : undefined;
    } else {
      return undefined;
    }
  }
  return value;
}
