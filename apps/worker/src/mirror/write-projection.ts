import { type Database, Prisma } from "@truerun/shared/db";
import { writeProjectedSteps } from "./mirror-statement.ts";
import type { Projection } from "./project-history.ts";

/** What a run's row said before its projection was made; the write holds only if it still does. */
export interface ProjectedFrom {
  temporalRunId: string | null;
  generation: number;
}

/**
 * Makes a run's rows equal to its projection: in one transaction, by compare-and-set on the row's
 * Temporal run and generation. Live writes that are newer than the projection stay.
 *
 * @returns false when the row has moved on; then the projection is of no use
 */
export async function writeProjection(
  db: Database,
  projection: Projection,
  from: ProjectedFrom,
): Promise<boolean> {
  const { workflowRunId, temporalRunId, steps, end } = projection;
  const isOther = from.temporalRunId !== null && from.temporalRunId !== temporalRunId;
  const generation = from.generation + (isOther ? 1 : 0);
  const newest = steps.reduce((a, b) => (a.mirror_seq > b.mirror_seq ? a : b), steps[0] ?? NOTHING);
  return await db.$transaction(async (tx) => {
    const moved = await tx.$executeRaw`
      UPDATE workflow_runs SET
        temporal_run_id = ${temporalRunId}, generation = ${generation},
        dispatched_at = coalesce(dispatched_at, now()),
        ${endColumns(projection)}
      WHERE id = ${workflowRunId} AND generation = ${from.generation}
        AND temporal_run_id IS NOT DISTINCT FROM ${from.temporalRunId}
        -- A run that ended without a Temporal run stays as it is: what has started since is a stray.
        AND (temporal_run_id IS NOT NULL OR confirmed_at IS NULL)
        AND (${isOther} OR ${end === null} OR (mirror_length, mirror_time_ms, mirror_seq)
              <= (${end?.mirror_length ?? 0}::int, ${end?.mirror_time_ms ?? 0}::bigint, ${end?.mirror_seq ?? 0}::int))`;
    if (moved === 0) return false;
    const ids = JSON.stringify(steps.map(({ id }) => id));
    await tx.$executeRaw`
      DELETE FROM workflow_run_steps
       WHERE run_id = ${workflowRunId}
         AND id NOT IN (SELECT json_array_elements_text(${ids}::json))
         -- Nothing comes after the end; of an open run a live write may be newer than the projection.
         AND (${end !== null} OR generation < ${generation}
              OR (mirror_length, mirror_time_ms, mirror_seq)
                 <= (${newest.mirror_length}::int, ${newest.mirror_time_ms}::bigint, ${newest.mirror_seq}::int))`;
    await writeProjectedSteps(tx, steps);
    return true;
  });
}

const NOTHING = { mirror_length: 0, mirror_time_ms: 0, mirror_seq: 0 };

function endColumns({ end }: Projection): Prisma.Sql {
  if (end === null) {
    return Prisma.sql`
      status = 'started', completed_at = NULL, error_code = NULL, error_message = NULL, step_count = NULL,
      steps_digest = NULL, confirmed_at = NULL, mirror_length = 0, mirror_time_ms = 0, mirror_seq = 0`;
  }
  return Prisma.sql`
    status = ${end.status}, completed_at = to_timestamp(${end.completed_at_ms}::double precision / 1000),
    error_code = ${end.error_code}, error_message = ${end.error_message}, step_count = ${end.step_count},
    steps_digest = ${end.steps_digest}, confirmed_at = now(), mirror_length = ${end.mirror_length},
    mirror_time_ms = ${end.mirror_time_ms}, mirror_seq = ${end.mirror_seq}`;
}
