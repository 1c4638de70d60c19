// Looks at what is new in Temporal's visibility: mostly at little cost, now and then thoroughly.
import { type ListedExecution, listExecutions } from "./list-executions.ts";
import { isRun, timeOf, toFilter, VISITED, type Walk, walkVisibility } from "./walk-visibility.ts";

export interface GlanceOptions {
  /** How often the pass is a walk, which also finds what entered the list late. */
  walkEveryMs: number;
}

/** Entries come nearly in order: those up to this much older than the newest seen are looked at again. */
const OVERLAP_MS = 500;
/** When more are new, a walk takes them slice by slice. */
const MOST = 2_000;
/** Added to the number listed the last time, so that one page shows them all. */
const SPARE = 4;

/** What the last pass saw. */
interface Seen {
  newest: number;
  /** Temporal runs within the overlap. */
  recent: ReadonlySet<string>;
  count: number;
}

/**
 * A loop over what is new. A query that names a time makes Temporal read through all executions that it keeps, and
 * each one listed costs it something, so most passes read the list from its top, newest first, and stop at what
 * they know. Nothing depends on that: a walk asks for everything since the last walk.
 *
 * @returns a pass, which returns whether there is more to do at once
 */
export function createGlances(walk: Walk, { walkEveryMs }: GlanceOptions): () => Promise<boolean> {
  let seen: Seen | null = null;
  let walkAt = 0;
  return async () => {
    if (seen !== null && performance.now() < walkAt) {
      // Until it has succeeded nothing is known: after a failure the next pass walks.
      const last: Seen = seen;
      seen = null;
      seen = await glance(walk, last);
      return seen === null;
    }
    const newest = await walkVisibility(walk);
    seen = newest === null ? null : { newest, recent: new Set(), count: 0 };
    walkAt = performance.now() + walkEveryMs;
    return newest === null;
  };
}

/** @returns null when the list cannot be read like that: it is too long, or out of order */
async function glance(walk: Walk, { newest, recent, count }: Seen): Promise<Seen | null> {
  const listed: { execution: ListedExecution; time: number }[] = [];
  let before = Number.POSITIVE_INFINITY;
  for await (const execution of listExecutions(walk.client, toFilter(walk), count + SPARE)) {
    const time = timeOf(walk, execution);
    if (time === null) continue;
    if (time > before || listed.length === MOST) return null;
    if (time < newest - OVERLAP_MS) break;
    before = time;
    listed.push({ execution, time });
  }
  const fresh = listed
    .map(({ execution }) => execution)
    .filter((execution) => isRun(execution) && !recent.has(execution.temporalRunId));
  for (let at = 0; at < fresh.length; at += VISITED) {
    await walk.visit(fresh.slice(at, at + VISITED));
  }
  const top = Math.max(newest, listed[0]?.time ?? newest);
  const still = listed.filter(({ time }) => time >= top - OVERLAP_MS);
  return {
    newest: top,
    recent: new Set(still.map(({ execution }) => execution.temporalRunId)),
    count: listed.length,
  };
}
