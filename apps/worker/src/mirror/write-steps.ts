// How a step's record becomes its row: live, by the mirror's statement, or from a projection.
import { type Database, Prisma } from "@truerun/shared/db";
import type { StepRow } from "./mirror-record.ts";

/** Columns of a step as the records carry them. */
export const STEP_RECORDSET = Prisma.sql`
  id text, run_id text, ordinal int, step_key text, item_index int, component_id text, component_name text,
  action_type text, status text, message text, artifacts text, output text, attempt int,
  started_at_ms bigint, finished_at_ms bigint, created_at_ms double precision, updated_at_ms double precision,
  temporal_run_id text, mirror_length int, mirror_time_ms bigint, mirror_seq int, digest bigint`;

/** Of the table, in the order of {@link STEP_VALUES}. */
export const STEP_COLUMNS = Prisma.sql`
  id, run_id, ordinal, step_key, item_index, component_id, component_name, action_type, status, message,
  artifacts, output, attempt, started_at_ms, finished_at_ms, created_at, updated_at,
  temporal_run_id, generation, mirror_length, mirror_time_ms, mirror_seq, digest`;

/** Of a record `step` of the run `run`. */
export const STEP_VALUES = Prisma.sql`
  step.id, step.run_id, step.ordinal, step.step_key, step.item_index, step.component_id, step.component_name,
  step.action_type, step.status, step.message, step.artifacts::json, step.output::json, step.attempt,
  step.started_at_ms, step.finished_at_ms, to_timestamp(step.created_at_ms / 1000),
  to_timestamp(step.updated_at_ms / 1000), step.temporal_run_id, run.generation, step.mirror_length,
  step.mirror_time_ms, step.mirror_seq, step.digest`;

/** A newer write replaces the whole row, whatever an abandoned attempt left in it; an older one does nothing. */
export const STEP_GUARD = Prisma.sql`
  ON CONFLICT (id) DO UPDATE SET
    ordinal = excluded.ordinal, status = excluded.status, message = excluded.message,
    component_id = excluded.component_id, component_name = excluded.component_name,
    action_type = excluded.action_type, artifacts = excluded.artifacts, output = excluded.output,
    attempt = excluded.attempt, started_at_ms = excluded.started_at_ms,
    finished_at_ms = excluded.finished_at_ms, created_at = excluded.created_at,
    updated_at = excluded.updated_at, temporal_run_id = excluded.temporal_run_id,
    generation = excluded.generation, mirror_length = excluded.mirror_length,
    mirror_time_ms = excluded.mirror_time_ms, mirror_seq = excluded.mirror_seq, digest = excluded.digest
  WHERE kept.generation < excluded.generation
     OR (kept.generation = excluded.generation
         AND (kept.mirror_length, kept.mirror_time_ms, kept.mirror_seq)
          <= (excluded.mirror_length, excluded.mirror_time_ms, excluded.mirror_seq))`;

/** Text of steps that is written by one statement: a tenth of what one has time for on a slow machine. */
const SLICE_CHARS = 1_000_000;

/**
 * Writes the steps of a projection: as the mirror would, for a run whose row the caller has locked. In slices: all
 * may be 50 MB.
 */
export async function writeProjectedSteps(
  db: Pick<Database, "$executeRaw">,
  steps: readonly StepRow[],
): Promise<void> {
  for (const slice of toSlices(steps)) {
    await db.$executeRaw`
      INSERT INTO workflow_run_steps AS kept (${STEP_COLUMNS})
      SELECT ${STEP_VALUES}
        FROM json_to_recordset(${slice}::json) AS step(${STEP_RECORDSET})
        JOIN workflow_runs AS run ON run.id = step.run_id AND run.temporal_run_id = step.temporal_run_id
      ${STEP_GUARD}`;
  }
}

/** Lists of steps as JSON, each about as long as a statement may take. */
function* toSlices(steps: readonly StepRow[]): Generator<string> {
  let texts: string[] = [];
  let chars = 0;
  for (const step of steps) {
    const text = JSON.stringify(step);
    if (texts.length > 0 && chars + text.length > SLICE_CHARS) {
      yield `[${texts.join()}]`;
      texts = [];
      chars = 0;
    }
    texts.push(text);
    chars += text.length;
  }
  if (texts.length > 0) yield `[${texts.join()}]`;
}
