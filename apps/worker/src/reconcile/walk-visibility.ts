// Walks along what Temporal's visibility shows, in the order of a time, and keeps how far it has come.
import type { Client, WorkflowExecutionInfo } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import { withinDeadline } from "./for-each-run.ts";

export interface Walk {
  db: Database;
  client: Client;
  /** Of the cursor in `reconciler_cursors`. */
  cursor: string;
  field: "CloseTime" | "StartTime";
  /** Of Temporal's list filter, what else must hold. */
  filter: string;
  /** Told of everything once, and of what is new perhaps several times. A failure ends the walk. */
  visit: (executions: WorkflowExecutionInfo[]) => Promise<void>;
}

/** Visibility is filled behind what happens; what is this much older than the newest seen is looked at again. */
const OVERLAP_MS = 10_000;
/** The walk goes in slices of so much time, or so many executions, at most. */
const SLICE_MS = 3_600_000;
const SLICE_EXECUTIONS = 2_000;
const SMALLEST_SLICE_MS = 1_000;
const PAGE = 200;

/** A run's workflow id; other workflows, such as a run's batches, are none of our rows. */
const RUN_ID = /^cbwr_[0-9a-f]{32}$/;

/**
 * One slice. What it did is kept: after a pause, or when much happened at once, the next one goes on from there.
 *
 * @returns whether there is more to do at once
 */
export async function walkVisibility(walk: Walk): Promise<boolean> {
  const { db, client, cursor: name, field, visit } = walk;
  const cursor = await db.reconcilerCursor.findUnique({ where: { name } });
  const from = (cursor?.position ?? (await findFirstStart(db))).getTime();
  const until = await chooseEnd(walk, from);
  let newest = from;
  let page: WorkflowExecutionInfo[] = [];
  const flush = async (): Promise<void> => {
    if (page.length > 0) await visit(page);
    page = [];
  };
  const query = toQuery(walk, from, until);
  const list = client.workflow.list({ query, pageSize: PAGE })[Symbol.asyncIterator]();
  for (;;) {
    const next = await withinDeadline(client, () => list.next());
    if (next.done === true) break;
    const execution = next.value;
    const time = field === "CloseTime" ? execution.closeTime : execution.startTime;
    if (time === undefined || !RUN_ID.test(execution.workflowId)) continue;
    newest = Math.max(newest, time.getTime());
    page.push(execution);
    if (page.length === PAGE) await flush();
  }
  await flush();
  const position = new Date(until ?? newest);
  await db.reconcilerCursor.upsert({
    where: { name },
    create: { name, position },
    update: { position },
  });
  return until !== null;
}

/** The slice's end; null when it reaches to the present, whose end is whatever is the newest. */
async function chooseEnd(walk: Walk, from: number): Promise<number | null> {
  const { client } = walk;
  const present = Date.now() - OVERLAP_MS;
  let length = Math.min(SLICE_MS, present - from);
  while (length > SMALLEST_SLICE_MS) {
    const query = toQuery(walk, from, from + length);
    const { count } = await withinDeadline(client, () => client.workflow.count(query));
    if (count <= SLICE_EXECUTIONS) break;
    length = Math.floor(length / 2);
  }
  return from + length < present ? from + Math.max(length, 1) : null;
}

function toQuery({ field, filter }: Walk, from: number, until: number | null): string {
  const after = `${field} >= "${new Date(from - OVERLAP_MS).toISOString()}"`;
  const before = until === null ? "" : ` AND ${field} < "${new Date(until).toISOString()}"`;
  return `WorkflowId STARTS_WITH "cbwr_" AND ${filter} AND ${after}${before}`;
}

/** Where the very first walk begins: nothing has happened to a run before it was created. */
async function findFirstStart(db: Database): Promise<Date> {
  const { _min: first } = await db.workflowRun.aggregate({ _min: { startedAt: true } });
  return first.startedAt ?? new Date();
}
