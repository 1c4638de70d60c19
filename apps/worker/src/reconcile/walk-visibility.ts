// Walks through what Temporal's visibility lists, in the order of a time, and keeps how far it has come.
import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { isId } from "@truerun/shared/ids";
import { type ListedExecution, listExecutions } from "./list-executions.ts";

export interface Walk {
  db: Database;
  client: Client;
  /** Its name in `reconciler_cursors`. */
  cursor: string;
  field: "CloseTime" | "StartTime";
  /** What else must hold, as a list filter of Temporal's. */
  filter: string;
  /** Called with every execution once, and with new ones perhaps several times. A failure ends the walk. */
  visit: (executions: ListedExecution[]) => Promise<void>;
}

/** Visibility lags behind: what is up to this much older than the newest seen is looked at again. */
const OVERLAP_MS = 10_000;
/** A slice of a walk spans this much time, or this many executions, at most. */
const SLICE_MS = 3_600_000;
const SLICE_EXECUTIONS = 2_000;
/** A slice this short is not worth counting, for which Temporal may read all that it has. */
const SMALLEST_SLICE_MS = 60_000;
/** Executions that are visited together. */
export const VISITED = 200;

/**
 * Walks one slice and keeps how far it came: the next goes on there, after a pause or when much happened at once.
 *
 * @returns the newest time that was seen; null when there is more to do at once
 */
export async function walkVisibility(walk: Walk): Promise<number | null> {
  const { db, client, cursor: name, visit } = walk;
  const cursor = await db.reconcilerCursor.findUnique({ where: { name } });
  const from = (cursor?.position ?? (await findFirstStart(db))).getTime();
  const until = await chooseEnd(walk, from);
  let newest = from;
  let page: ListedExecution[] = [];
  const flush = async (): Promise<void> => {
    if (page.length > 0) await visit(page);
    page = [];
  };
  for await (const execution of listExecutions(client, toQuery(walk, from, until))) {
    const time = timeOf(walk, execution);
    if (time === null || !isRun(execution)) continue;
    newest = Math.max(newest, time);
    page.push(execution);
    if (page.length === VISITED) await flush();
  }
  await flush();
  const position = new Date(until ?? newest);
  await db.reconcilerCursor.upsert({
    where: { name },
    create: { name, position },
    update: { position },
  });
  return until === null ? newest : null;
}

/** What a walk is about, at any time. */
export function toFilter({ filter }: Walk): string {
  return `WorkflowId STARTS_WITH "cbwr_" AND ${filter}`;
}

/** The time that a walk goes by; null where the execution has none. */
export function timeOf({ field }: Walk, execution: ListedExecution): number | null {
  return field === "CloseTime" ? execution.closeTimeMs : execution.startTimeMs;
}

/** Whether a workflow is a run; others, such as a run's batches, have no row. */
export function isRun({ workflowId }: ListedExecution): boolean {
  return isId("cbwr", workflowId);
}

/** The slice's end; null when it reaches the present, and so ends with the newest execution. */
async function chooseEnd(walk: Walk, from: number): Promise<number | null> {
  const { client } = walk;
  const present = Date.now() - OVERLAP_MS;
  let length = Math.min(SLICE_MS, present - from);
  while (length > SMALLEST_SLICE_MS) {
    const { count } = await client.workflow.count(toQuery(walk, from, from + length));
    if (count <= SLICE_EXECUTIONS) break;
    length = Math.floor(length / 2);
  }
  return from + length < present ? from + Math.max(length, 1) : null;
}

function toQuery(walk: Walk, from: number, until: number | null): string {
  const { field } = walk;
  const after = `${field} >= "${new Date(from - OVERLAP_MS).toISOString()}"`;
  const before = until === null ? "" : ` AND ${field} < "${new Date(until).toISOString()}"`;
  return `${toFilter(walk)} AND ${after}${before}`;
}

/** Where the very first walk begins: nothing has happened to a run before it was created. */
async function findFirstStart(db: Database): Promise<Date> {
  const { _min: first } = await db.workflowRun.aggregate({ _min: { startedAt: true } });
  return first.startedAt ?? new Date();
}
