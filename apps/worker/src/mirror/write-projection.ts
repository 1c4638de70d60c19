import { type Database, Prisma } from "@truerun/shared/db";
import { findWrongSteps } from "./diff-run.ts";
import { DURABLE, NO_END } from "./mirror-statement.ts";
import type { Projection } from "./project-history.ts";
import type { RunRows } from "./run-rows.ts";
import { writeProjectedSteps } from "./write-steps.ts";

/** A projection to write. It lacks a Temporal run only if none was ever known. */
export type WritableProjection = Omit<Projection, "temporalRunId"> & {
  temporalRunId: string | null;
};

/** In slices, the rows of the largest run take some seconds; the limit is for what nobody has thought of. */
const WITHIN_MS = 60_000;

/**
 * Makes a run's rows equal to its projection: in one transaction, by compare-and-set on the run's row.
 * In an open run, live writes that are newer than the projection, and were not seen, stay.
 *
 * @param seen - the rows as they were read, after the projection's history was read
 * @returns false when the run's row has moved on; then the projection is of no use
 */
export async function writeProjection(
  db: Database,
  projection: WritableProjection,
  seen: RunRows,
): Promise<boolean> {
  const { workflowRunId, temporalRunId, historyLength, steps, end } = projection;
  const isOther = seen.temporalRunId !== null && seen.temporalRunId !== temporalRunId;
  const generation = seen.generation + (isOther ? 1 : 0);
  const wrong = JSON.stringify(findWrongSteps(seen, projection));
  return await db.$transaction(
    async (tx) => {
      const moved = await tx.$executeRaw`
      UPDATE workflow_runs SET
        temporal_run_id = ${temporalRunId}, generation = ${generation},
        dispatched_at = coalesce(dispatched_at, now()), projected_length = ${historyLength},
        ${endColumns(projection)}
      WHERE id = ${workflowRunId} AND generation = ${seen.generation} AND ${DURABLE}
        AND temporal_run_id IS NOT DISTINCT FROM ${seen.temporalRunId}
        -- What an abandoned Temporal run still writes does not matter.
        AND (${isOther} OR (
              status = ${seen.status} AND (confirmed_at IS NOT NULL) = ${seen.isConfirmed}
              AND (mirror_length, mirror_time_ms, mirror_seq)
                = (${seen.mirrorLength}::int, ${seen.mirrorTimeMs}::bigint, ${seen.mirrorSeq}::int)))
        -- A run that ended without a Temporal run stays as it is: what has started since is a stray.
        AND (temporal_run_id IS NOT NULL OR confirmed_at IS NULL)`;
      if (moved === 0) return false;
      await tx.$executeRaw`
      DELETE FROM workflow_run_steps
       WHERE run_id = ${workflowRunId}
         -- Nothing comes after the end: all that is there makes way.
         AND (${end !== null} OR generation < ${generation}
              OR (id, mirror_length, mirror_time_ms, mirror_seq) IN (
                   SELECT w.id, w.mirror_length, w.mirror_time_ms, w.mirror_seq
                     FROM json_to_recordset(${wrong}::json)
                       AS w(id text, mirror_length int, mirror_time_ms bigint, mirror_seq int)))`;
      await writeProjectedSteps(tx, steps);
      return true;
    },
    { timeout: WITHIN_MS },
  );
}

function endColumns({ end }: WritableProjection): Prisma.Sql {
  if (end === null) return NO_END;
  return Prisma.sql`
    status = ${end.status}, completed_at = to_timestamp(${end.completed_at_ms}::double precision / 1000),
    error_code = ${end.error_code}, error_message = ${end.error_message}, step_count = ${end.step_count},
    steps_digest = ${end.steps_digest}, confirmed_at = now(), mirror_length = ${end.mirror_length},
    mirror_time_ms = ${end.mirror_time_ms}, mirror_seq = ${end.mirror_seq}, closing_markers = 0`;
}
