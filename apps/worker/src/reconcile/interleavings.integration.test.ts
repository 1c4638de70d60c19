// What real runs handed to the mirror, written in every order, partly, twice, and over damaged rows: one
// pass of the reconciler makes the tables equal to the projection.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { stepId } from "@truerun/shared/step-id";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestStep } from "../mirror/step-digest.ts";
import { diffRun } from "../mirror/diff-run.ts";
import type { MirrorRecord, StepRow } from "../mirror/mirror-record.ts";
import { writeRecords } from "../mirror/mirror-statement.ts";
import { keepGoneBatches, type Projection, projectRun } from "../mirror/project-history.ts";
import { readRunRows } from "../mirror/run-rows.ts";
import { shapeOf } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { component } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { confirmClosedRuns } from "../testing/walk-once.ts";
import { createOpenRunsPass } from "./open-runs.ts";

/** A run that is not going to change any more, or not for a long time. */
interface Story {
  id: string;
  /** All that it handed to the mirror, in order. */
  records: MirrorRecord[];
  projection: Projection;
}

const CLOSED = [
  "fan-out and join",
  "a failure ends the run and its sibling",
  "failures that are taken",
  "a retry succeeds",
  "canceled by an operator",
  "terminated by an operator",
  "over its timeout",
  "for_each",
  "local steps side by side",
];

let rig: WorkerRig;
let closed: Story[];
let open: Story[];

beforeAll(async () => {
  rig = await createWorkerRig();
  const ids = await Promise.all(CLOSED.map((name) => startShape(rig, shapeOf(name))));
  const openIds = await Promise.all(
    [component("long", { action: "wait", with: { duration: "10d" } }), slow("busy")].map((last) =>
      rig.startRun({
        components: [
          component("a", { next: [{ to: "b", on: "success" }] }),
          component("b", { next: [{ to: last.key, on: "success" }] }),
          last,
        ],
      }),
    ),
  );
  closed = await Promise.all(ids.map((id) => readStory(id, (status) => status !== "RUNNING")));
  open = await Promise.all(openIds.map((id) => readStory(id, (_, length) => length > 16)));
  // A run is at rest when nothing of it has been written for some seconds.
  await waitFor("rest", () => Date.now() > newestWrite(open) + 5_000);
});
afterAll(() => rig.close());

test("of a closed run", { timeout: 240_000 }, async () => {
  await hold(
    () => closed,
    async () => {
      await rig.db.reconcilerCursor.deleteMany();
      while (await confirmClosedRuns(rig));
    },
  );
});

test("of an open run at rest", { timeout: 240_000 }, async () => {
  await hold(() => open, createOpenRunsPass(rig, { roundMs: 0 }));
});

/** What may be written to the tables: a record, or a wrong one made from it. */
const write = fc.record({
  kind: fc.constantFrom("record", "record", "record", "foreign", "ghost"),
  place: fc.nat(),
  withNext: fc.boolean(),
});

async function hold(stories: () => Story[], pass: () => Promise<unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(write, { maxLength: 30 }),
      fc.subarray(DAMAGES, { maxLength: 3 }),
      async (which, writes, damages) => {
        const all = stories();
        const story = all[which % all.length] as Story;
        await forget(story);
        for (const batch of toBatches(story, writes)) await writeRecords(rig.db, batch);
        for (const { sql } of damages) {
          await rig.db.$executeRawUnsafe(sql.replaceAll("$", `'${story.id}'`));
        }
        await pass();
        const rows = await readRunRows(rig.db, story.id);
        expect(rows === null ? null : diffRun(rows, story.projection)).toEqual([]);
        expect(rows?.isConfirmed).toBe(story.projection.end !== null);
      },
    ),
    { numRuns: 100, endOnFailure: true },
  );
}

/** Damage that a digest shows, as it shows any that a mirror can do. */
const DAMAGES: { name: string; sql: string }[] = [
  { name: "no steps", sql: "DELETE FROM workflow_run_steps WHERE run_id = $" },
  {
    name: "the first step lost",
    sql: "DELETE FROM workflow_run_steps WHERE run_id = $ AND ordinal = 0",
  },
  {
    name: "another outcome, from the future",
    sql: `UPDATE workflow_run_steps SET status = 'skipped', digest = digest + 1, mirror_length = 9999
           WHERE run_id = $ AND ordinal = 0`,
  },
  {
    name: "steps of another generation",
    sql: "UPDATE workflow_run_steps SET generation = generation + 1 WHERE run_id = $ AND ordinal = 1",
  },
  {
    name: "an end that was refused",
    sql: `UPDATE workflow_runs SET status = 'canceled', completed_at = now(), step_count = 99,
                 mirror_length = 9999 WHERE id = $`,
  },
  {
    name: "another Temporal run",
    sql: `UPDATE workflow_runs SET temporal_run_id = 'other', generation = generation + 1 WHERE id = $`,
  },
  {
    name: "an end not seen",
    sql: "UPDATE workflow_runs SET status = 'started', completed_at = NULL WHERE id = $",
  },
];

/** Makes the row what it is when Temporal has taken the run and the mirror has not heard of it. */
async function forget({ id }: Story): Promise<void> {
  await rig.db.$executeRaw`DELETE FROM workflow_run_steps WHERE run_id = ${id}`;
  await rig.db.$executeRaw`
    UPDATE workflow_runs SET status = 'started', completed_at = NULL, error_code = NULL,
           error_message = NULL, step_count = NULL, steps_digest = NULL, confirmed_at = NULL,
           temporal_run_id = NULL, generation = 0, mirror_length = 0, mirror_time_ms = 0,
           mirror_seq = 0, projected_length = 0, dispatched_at = now() - interval '1 minute'
     WHERE id = ${id}`;
}

function toBatches(
  { id, records }: Story,
  writes: { kind: string; place: number; withNext: boolean }[],
): MirrorRecord[][] {
  // A run whose timeout passed before its first task.
  if (records.length === 0) return [];
  const batches: MirrorRecord[][] = [[]];
  for (const { kind, place, withNext } of writes) {
    const record = records[place % records.length] as MirrorRecord;
    batches.at(-1)?.push(kind === "record" ? record : spoil(kind, id, record));
    if (!withNext) batches.push([]);
  }
  // A batch may hold a row once, and only one Temporal run.
  return batches.flatMap((batch) => {
    const keys = new Set(batch.map((each) => (each.kind === "step" ? each.id : each.run_id)));
    const temporalRuns = new Set(batch.map(({ temporal_run_id }) => temporal_run_id));
    const isFit = keys.size === batch.length && temporalRuns.size === 1;
    return isFit ? [batch] : batch.map((each) => [each]);
  });
}

function spoil(kind: string, runId: string, record: MirrorRecord): MirrorRecord {
  if (kind === "foreign") return { ...record, temporal_run_id: "another" };
  if (record.kind === "end") return { ...record, status: "canceled", mirror_length: 1 };
  // What a failed try of a workflow task recorded: the next try went another way.
  const ghost: StepRow = { ...record, id: stepId(runId, "ghost"), step_key: "ghost", ordinal: 50 };
  return { ...ghost, digest: digestStep(ghost) };
}

async function readStory(
  id: string,
  isThere: (status: string, length: number) => boolean,
): Promise<Story> {
  const handle = rig.client.workflow.getHandle(id);
  const probe = async () => {
    const described = await handle.describe();
    const { status, historyLength, raw } = described;
    const isThereYet = isThere(status.name, historyLength) && raw.pendingWorkflowTask == null;
    return isThereYet && described;
  };
  // All of them run side by side, and are asked for fifty times a second.
  const { runId } = await waitFor(`the story of ${id}`, probe, 110_000);
  const rows = await readRunRows(rig.db, id);
  if (rows === null) throw new Error("The run has no row");
  const projection = keepGoneBatches(await projectRun(rig, id, runId), rows);
  const records = await rig.replayer.replay(await handle.fetchHistory(), id);
  return {
    id,
    projection,
    records: records.map((each) => ({ ...each, temporal_run_id: runId })),
  };
}

function newestWrite(stories: readonly Story[]): number {
  return Math.max(...stories.flatMap(({ records }) => records.map((each) => each.mirror_time_ms)));
}

function slow(key: string): ReturnType<typeof component> {
  return component(key, { action: "slow", with: { ms: 600_000 }, timeout: "1h" });
}
