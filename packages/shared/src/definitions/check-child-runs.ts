// What can be checked about child runs before anything runs.
import { type ChainLink, explainChain } from "../contracts/child-runs.ts";
import { type Fault, valueFault } from "../contracts/faults.ts";
import type { Database } from "../db.ts";
import {
  calledBy,
  type CallingComponent,
  parseSummary,
  SUMMARY_COLUMN,
} from "./definition-summary.ts";

/** For each workflow of an org, by name: the workflows that its `run_workflow`s name. */
type Calls = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Faults of the components that would run workflows inside runs of their own, or too deep, through any of the
 * org's saved definitions. A name given by a reference is known only at run time.
 */
export async function checkChildRuns(
  db: Database,
  { orgId, name }: { orgId: string; name: string },
  components: readonly CallingComponent[],
): Promise<Fault[]> {
  const own = new Set(components.flatMap(calledBy));
  if (own.size === 0) return [];
  const calls = (await loadCalls(db, orgId)).set(name, own);
  const above = longestPath(name, invert(calls)).toReversed();
  return components.flatMap((component, index) => {
    const [called] = calledBy(component);
    if (called === undefined) return [];
    const circle = findPath(called, name, calls);
    const chain = circle === null ? [...above, ...longestPath(called, calls)] : [name, ...circle];
    const fault = explainChain(chain.map(toLink));
    return fault === null
      ? []
      : [valueFault(["components", index, "with", "workflow_name"], fault)];
  });
}

/** Names are as good as ids here: within an org they are unique. */
function toLink(workflowName: string): ChainLink {
  return { definition: workflowName, workflowName };
}

async function loadCalls(db: Database, orgId: string): Promise<Map<string, Set<string>>> {
  const rows = await db.$queryRaw<{ name: string; summary: string }[]>`
    SELECT d.name, ${SUMMARY_COLUMN}
    FROM workflow_definitions d
    JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version
    WHERE d.org_id = ${orgId}`;
  return new Map(rows.map(({ name, summary }) => [name, new Set(parseSummary(summary).runs)]));
}

function invert(calls: Calls): Calls {
  const callers = new Map<string, Set<string>>();
  for (const [caller, all] of calls) {
    for (const called of all) callers.set(called, (callers.get(called) ?? new Set()).add(caller));
  }
  return callers;
}

/** A shortest path along the edges, both ends included; null when there is none. */
function findPath(from: string, to: string, edges: Calls): string[] | null {
  const before = new Map<string, string | null>([[from, null]]);
  for (const name of before.keys()) {
    if (name === to) return walkBack(name, before);
    for (const next of edges.get(name) ?? []) if (!before.has(next)) before.set(next, name);
  }
  return null;
}

function walkBack(end: string, before: ReadonlyMap<string, string | null>): string[] {
  const path: string[] = [];
  for (let name: string | null = end; name !== null; name = before.get(name) ?? null) {
    path.unshift(name);
  }
  return path;
}

/** A longest path along the edges from `from`, which it includes. */
function longestPath(from: string, edges: Calls): string[] {
  const known = new Map<string, readonly string[]>();
  const visit = (name: string): readonly string[] => {
    const done = known.get(name);
    if (done !== undefined) return done;
    // Definitions that were saved at the same moment may form a cycle: it is followed once.
    known.set(name, [name]);
    let longest: readonly string[] = [];
    for (const next of edges.get(name) ?? []) {
      const path = visit(next);
      if (path.length > longest.length) longest = path;
    }
    const path = [name, ...longest];
    known.set(name, path);
    return path;
  };
  return [...visit(from)];
}
