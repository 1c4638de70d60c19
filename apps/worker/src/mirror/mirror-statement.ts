// How records are written while runs go on, and the guard of every row. An example, with a batch of five records:
//
//   record (of run, Temporal run)          row before                   row after
//   fetch begins, at 3 events (R1, T1)     run: no T, not dispatched    run: T1, dispatched; step: no status
//   send succeeded, at 9 events (R2, T2)   step: no status, 5 events    step: success, 9 events
//   end: completed (R2, T2)                run: started                 run: completed, still to be confirmed
//   send begins, at 5 events (R3, T3)      step: success, 9 events      the same: the record is late
//   fetch begins, at 3 events (R4, T9)     run: T4                      the same; returned as refused, `foreign`
import { type Database, Prisma } from "@truerun/shared/db";
import { composeOnce, queryDirectly } from "@truerun/shared/direct-query";
import type { MirrorRecord, RunEnd, StepRow } from "./mirror-record.ts";
import type { ReopenedStep } from "./reopened-steps.ts";
import { STEP_COLUMNS, STEP_GUARD, STEP_RECORDSET, STEP_VALUES } from "./write-steps.ts";

/** A Temporal run whose records were not written. */
export interface RefusedRun {
  run_id: string;
  temporal_run_id: string;
  /** `foreign`: the run's row mirrors another one, or is missing. `stray`: the run had ended without any. */
  why: "foreign" | "stray";
}

/** What became of a batch of records. */
export interface Written {
  /** The Temporal runs whose records were left out. */
  refused: RefusedRun[];
  /** The steps that begin again: they had begun in a try of their workflow task that was lost. */
  reopened: ReopenedStep[];
}

/** Columns of a run as its end carries them. */
const RUN_RECORDSET = Prisma.sql`
  run_id text, temporal_run_id text, status text, error_code text, error_message text,
  completed_at_ms double precision, step_count int, steps_digest bigint, closing_markers int,
  mirror_length int, mirror_time_ms bigint, mirror_seq int`;

/**
 * Makes the transaction wait for the disk: a crash of the database must not take back an end that callers have
 * read. Everything else written here is restored from the history before it matters.
 */
export const DURABLE = Prisma.sql`set_config('synchronous_commit', 'on', true) = 'on'`;

/** Columns of a run that has no end. */
export const NO_END = Prisma.sql`
  status = 'started', completed_at = NULL, error_code = NULL, error_message = NULL, step_count = NULL,
  steps_digest = NULL, confirmed_at = NULL, mirror_length = 0, mirror_time_ms = 0, mirror_seq = 0`;

/**
 * A condition on a run `run`, written so that Postgres looks up each run by its id: `= ANY (ARRAY[...])` leaves it no
 * other join, and `coalesce` no other index. With a plain `=` and `IS NULL` it read all unconfirmed runs for each
 * batch: it takes them to be few, but an org may have queued 10,000.
 */
export const UNCONFIRMED = Prisma.sql`coalesce(run.confirmed_at, '-infinity') = '-infinity'`;

/** A condition on an ended run `run`: its steps are, in number and digest, those that its end was recorded with. */
export const STEPS_AGREE = Prisma.sql`(run.step_count, run.steps_digest) = (
  SELECT count(*), coalesce(sum(step.digest), 0) FROM workflow_run_steps AS step
   WHERE step.run_id = run.id AND step.generation = run.generation)`;

/** The `run_writes` that were left out, and why; without a reason where another statement was faster. */
const REFUSED = Prisma.sql`
  SELECT w.run_id, w.temporal_run_id,
         CASE WHEN run.id IS NULL OR run.temporal_run_id IS NOT NULL THEN 'foreign'
              WHEN run.confirmed_at IS NOT NULL THEN 'stray' END AS why, NULL AS step_id, NULL AS was_open,
         NULL AS kept_ms, NULL AS begins_ms
    FROM run_writes AS w
    LEFT JOIN workflow_runs AS run ON run.id = ANY (ARRAY[w.run_id])
   WHERE run.id IS NULL OR run.temporal_run_id <> w.temporal_run_id
      OR (run.temporal_run_id IS NULL AND run.id NOT IN (SELECT id FROM ended))`;

/**
 * An end from a try of a workflow task that another try has replaced: a worker that was held up in local steps
 * goes on with them, up to the run's end, before it learns that its task was given away.
 */
const OVERTAKEN = Prisma.sql`EXISTS (
  SELECT FROM workflow_run_steps AS kept
   WHERE kept.run_id = run.id AND kept.temporal_run_id = w.temporal_run_id
     AND (kept.mirror_length, kept.mirror_time_ms) > (w.mirror_length, w.mirror_time_ms))`;

/**
 * Of the steps that begin, those that had begun in a lost task, whatever became of them there: this is their
 * first record as far as the workflow knows, but there is an earlier one.
 */
const REOPENED = Prisma.sql`
  SELECT step.run_id, step.temporal_run_id, NULL AS why, step.id AS step_id, kept.status IS NULL AS was_open,
         kept.mirror_time_ms::float8 AS kept_ms, step.mirror_time_ms::float8 AS begins_ms
    FROM steps AS step
    JOIN workflow_run_steps AS kept ON kept.id = ANY (ARRAY[step.id])
   WHERE step.status IS NULL AND kept.temporal_run_id = step.temporal_run_id
     AND (kept.mirror_length, kept.mirror_time_ms) < (step.mirror_length, step.mirror_time_ms)
     AND step.created_at_ms = step.mirror_time_ms`;

/**
 * Writes a batch in one statement: steps and ends, each if its guard allows, and the Temporal run's id
 * (with `dispatched_at`) where a run's row does not have it yet. A row may appear only once in a batch.
 */
export async function writeRecords(
  db: Database,
  records: readonly MirrorRecord[],
): Promise<Written> {
  const said = await writeOnce(db, records);
  const reopened = said.filter((each): each is Said & ReopenedStep => each.step_id !== null);
  const refused = said.filter(({ step_id: id }) => id === null);
  // Their rows changed while the statement was under way; it still saw the old state.
  const overtaken = new Set(refused.filter(({ why }) => why === null).map(({ run_id }) => run_id));
  const known = refused.filter((run): run is Said & RefusedRun => run.why !== null);
  if (overtaken.size === 0) return { refused: known, reopened };
  const again = records.filter(({ run_id }) => overtaken.has(run_id));
  const others = await writeRecords(db, again);
  return { refused: [...known, ...others.refused], reopened: [...reopened, ...others.reopened] };
}

/** Less than the 10 s after which Temporal gives a task away, more than it takes to redo one that it refused. */
const LOST_AFTER_MS = 5_000;

/**
 * Takes back ends that were recorded in lost tasks: a worker that was held up may have gone on with one to the
 * run's end, and then be given the next one, in which the same steps begin again. An end that Temporal refused
 * is left alone: another one follows at once.
 */
export async function takeBackEnds(db: Database, reopened: readonly ReopenedStep[]): Promise<void> {
  const lost = reopened.filter((step) => step.begins_ms - step.kept_ms > LOST_AFTER_MS);
  if (lost.length === 0) return;
  const ids = lost.map(({ run_id: id }) => id);
  await db.$executeRaw`
    UPDATE workflow_runs AS run SET ${NO_END}
     WHERE run.id = ANY (${ids}) AND ${UNCONFIRMED} AND run.status <> 'started'
       AND EXISTS (
         SELECT FROM workflow_run_steps AS kept
          WHERE kept.run_id = run.id AND kept.temporal_run_id = run.temporal_run_id
            AND (kept.mirror_length, kept.mirror_time_ms) > (run.mirror_length, run.mirror_time_ms))`;
}

/** A run that was refused, or a step that begins again. */
interface Said extends Omit<RefusedRun, "why"> {
  why: RefusedRun["why"] | null;
  step_id: string | null;
  was_open: boolean | null;
  kept_ms: number | null;
  begins_ms: number | null;
}

/** Of JSON texts: lists of {@link RunWrite} and of {@link StepRow}. */
const toStatement = composeOnce<{ runs: string; steps: string }>(
  (value) => Prisma.sql`
    WITH run_writes AS (
      SELECT * FROM json_to_recordset(${value("runs")}::json) AS w(${RUN_RECORDSET})
    ), steps AS (
      SELECT * FROM json_to_recordset(${value("steps")}::json) AS step(${STEP_RECORDSET})
    ), ended AS (
      UPDATE workflow_runs AS run SET
        temporal_run_id = w.temporal_run_id,
        dispatched_at = coalesce(run.dispatched_at, now()),
        status = coalesce(w.status, run.status),
        completed_at = CASE WHEN w.status IS NULL THEN run.completed_at
                            ELSE to_timestamp(w.completed_at_ms / 1000) END,
        error_code = CASE WHEN w.status IS NULL THEN run.error_code ELSE w.error_code END,
        error_message = CASE WHEN w.status IS NULL THEN run.error_message ELSE w.error_message END,
        step_count = coalesce(w.step_count, run.step_count),
        steps_digest = coalesce(w.steps_digest, run.steps_digest),
        closing_markers = CASE WHEN w.status IS NULL THEN run.closing_markers
                               ELSE coalesce(w.closing_markers, 0) END,
        mirror_length = coalesce(w.mirror_length, run.mirror_length),
        mirror_time_ms = coalesce(w.mirror_time_ms, run.mirror_time_ms),
        mirror_seq = coalesce(w.mirror_seq, run.mirror_seq)
      FROM run_writes AS w
      WHERE run.id = ANY (ARRAY[w.run_id]) AND ${UNCONFIRMED}
        AND (w.status IS NULL OR (${DURABLE} AND NOT ${OVERTAKEN}))
        AND (run.temporal_run_id IS NULL
             OR (run.temporal_run_id = w.temporal_run_id
                 AND (run.dispatched_at IS NULL
                      OR (w.status IS NOT NULL
                          AND (run.mirror_length, run.mirror_time_ms, run.mirror_seq)
                           <= (w.mirror_length, w.mirror_time_ms, w.mirror_seq)))))
      RETURNING run.id
    ), mirrored AS (
      INSERT INTO workflow_run_steps AS kept (${STEP_COLUMNS})
      SELECT ${STEP_VALUES}
        FROM steps AS step
        JOIN workflow_runs AS run ON run.id = ANY (ARRAY[step.run_id])
        -- What comes after the confirmation of the end is late: the projection has been made.
         AND ${UNCONFIRMED}
         AND (run.temporal_run_id = step.temporal_run_id
              OR (run.temporal_run_id IS NULL AND run.id IN (SELECT id FROM ended)))
      ${STEP_GUARD}
    )
    ${REFUSED} UNION ALL ${REOPENED}`,
);

async function writeOnce(db: Database, records: readonly MirrorRecord[]): Promise<Said[]> {
  const steps = records.filter((record): record is StepRow => record.kind === "step");
  const runs = toRunWrites(records);
  const statement = toStatement({ runs: JSON.stringify(runs), steps: JSON.stringify(steps) });
  return await queryDirectly<Said>(db, statement);
}

type RunWrite = { run_id: string; temporal_run_id: string } & Partial<RunEnd>;

/** One write per run: its end, or only its Temporal run's id. */
function toRunWrites(records: readonly MirrorRecord[]): RunWrite[] {
  const writes = new Map<string, RunWrite>();
  for (const record of records) {
    const { run_id, temporal_run_id } = record;
    if (record.kind === "end") writes.set(run_id, record);
    else if (!writes.has(run_id)) writes.set(run_id, { run_id, temporal_run_id });
  }
  return [...writes.values()];
}
