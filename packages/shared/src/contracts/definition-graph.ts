import type { ComponentView } from "./definition-view.ts";
import type { Fault } from "./faults.ts";
import { valueFault } from "./faults.ts";

/** How many components of a cycle a message names. */
const SHOWN_CYCLE_LENGTH = 20;

/** Faults of keys and of `next`: duplicate keys, edges to nowhere, cycles. */
export function checkGraph(components: readonly ComponentView[]): Fault[] {
  return [...checkKeys(components), ...checkTargets(components), ...checkCycles(components)];
}

function checkKeys(components: readonly ComponentView[]): Fault[] {
  const seen = new Set<string>();
  return components.flatMap(({ loc, key }) => {
    if (key === null || !seen.has(key)) {
      if (key !== null) seen.add(key);
      return [];
    }
    return [valueFault([...loc, "key"], `another component has the key '${key}'`)];
  });
}

function checkTargets(components: readonly ComponentView[]): Fault[] {
  const keys = new Set(components.map(({ key }) => key));
  return components.flatMap(({ next }) =>
    next.flatMap(({ loc, to }) =>
      to === null || keys.has(to)
        ? []
        : [valueFault([...loc, "to"], `no component has the key '${to}'`)],
    ),
  );
}

/** One fault for each edge that closes a cycle in a depth-first walk: without these edges there is no cycle. */
function checkCycles(components: readonly ComponentView[]): Fault[] {
  const byKey = indexByKey(components);
  const finished = new Set<string>();
  const faults: Fault[] = [];
  const walk = (component: ComponentView, key: string, trail: readonly string[]): void => {
    const here = [...trail, key];
    for (const { loc, to } of component.next) {
      const target = to === null ? undefined : byKey.get(to);
      if (to === null || target === undefined || finished.has(to)) continue;
      const start = here.indexOf(to);
      if (start < 0) walk(target, to, here);
      else
        faults.push(valueFault([...loc, "to"], `cycle: ${showCycle([...here.slice(start), to])}`));
    }
    finished.add(key);
  };
  for (const [key, component] of byKey) {
    if (!finished.has(key)) walk(component, key, []);
  }
  return faults;
}

function showCycle(keys: readonly string[]): string {
  const half = SHOWN_CYCLE_LENGTH / 2;
  const shown =
    keys.length <= SHOWN_CYCLE_LENGTH
      ? keys
      : [...keys.slice(0, half), `(${keys.length - 2 * half} more)`, ...keys.slice(-half)];
  return shown.join(" -> ");
}

function indexByKey(components: readonly ComponentView[]): Map<string, ComponentView> {
  const byKey = new Map<string, ComponentView>();
  for (const component of components) {
    if (component.key !== null && !byKey.has(component.key)) byKey.set(component.key, component);
  }
  return byKey;
}

/** Tells which components are certain to be decided before a component starts. */
export interface Upstream {
  hasKey(key: string): boolean;
  /** Keys of all components that lead to this one, directly or indirectly. */
  of(key: string): ReadonlySet<string>;
}

/** Indexes which component leads to which; ancestors are collected when first asked for. */
export function createUpstream(components: readonly ComponentView[]): Upstream {
  const sources = new Map<string, string[]>();
  for (const { key } of components) if (key !== null) sources.set(key, []);
  for (const { key, next } of components) {
    if (key === null) continue;
    for (const { to } of next) if (to !== null) sources.get(to)?.push(key);
  }
  const found = new Map<string, Set<string>>();
  return {
    hasKey: (key) => sources.has(key),
    of(key) {
      let ancestors = found.get(key);
      if (ancestors === undefined) {
        ancestors = collectAncestors(key, sources);
        found.set(key, ancestors);
      }
      return ancestors;
    },
  };
}

function collectAncestors(key: string, sources: ReadonlyMap<string, readonly string[]>) {
  const ancestors = new Set(sources.get(key));
  // The set grows while it is walked.
  for (const ancestor of ancestors) {
    for (const source of sources.get(ancestor) ?? []) ancestors.add(source);
  }
  return ancestors;
}
