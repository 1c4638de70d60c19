import type { Database } from "@truerun/shared/db";
import type { WorkerMetrics } from "../worker-metrics.ts";

/** Measures how many runs wait for their dispatch, and how long the oldest does. The sweeper dispatches them. */
export async function measureUndispatched({
  db,
  metrics,
}: {
  db: Database;
  metrics: Pick<WorkerMetrics, "undispatched">;
}): Promise<boolean> {
  const [waiting] = await db.$queryRaw<{ count: number; oldest: number }[]>`
    SELECT count(*)::int AS count,
           coalesce(extract(epoch FROM now() - min(started_at)), 0)::float8 AS oldest
      FROM workflow_runs WHERE dispatched_at IS NULL AND status = 'started'`;
  metrics.undispatched(waiting?.count ?? 0, waiting?.oldest ?? 0);
  return false;
}
