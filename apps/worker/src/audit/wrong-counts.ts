import { type Database, Prisma } from "@truerun/shared/db";
import { recountRuns } from "@truerun/shared/run-counts/recount-runs";

/**
 * Selects, as `id`, the orgs with a block whose counts, plus the changes not yet added up, do not match its
 * runs. One statement, as a second one would see other changes.
 */
export const WRONGLY_COUNTED = Prisma.sql`
  SELECT org_id AS id FROM (
    SELECT org_id FROM (
      SELECT org_id, definition_id, status, n,
             max(edge) OVER (PARTITION BY org_id ORDER BY at) AS from_at
        FROM (
          SELECT org_id, definition_id, status, started_at AS at, NULL::timestamptz AS edge, 1 AS n
            FROM workflow_runs
          UNION ALL
          SELECT org_id, definition_id, status_after, started_at, NULL, -1
            FROM workflow_run_changes WHERE status_after IS NOT NULL
          UNION ALL
          SELECT org_id, definition_id, status_before, started_at, NULL, 1
            FROM workflow_run_changes WHERE status_before IS NOT NULL
          UNION ALL
          SELECT org_id, definition_id, status, from_at, from_at, -n
            FROM workflow_run_counts, LATERAL (VALUES ('started', started), ('completed', completed),
              ('canceled', canceled), ('failed', failed)) AS counted(status, n)
           WHERE definition_id <> ''
        ) AS there
    ) AS placed
    GROUP BY org_id, definition_id, status, from_at HAVING sum(n) <> 0
    UNION
    -- Of all definitions together it must be their sum.
    SELECT org_id FROM workflow_run_counts, LATERAL (SELECT CASE definition_id WHEN '' THEN 1 ELSE -1 END) AS sign(s)
    GROUP BY org_id, from_at
    HAVING (sum(s * started), sum(s * completed), sum(s * canceled), sum(s * failed)) <> (0, 0, 0, 0)
  ) AS wrong`;

/** Recounts the runs of every org that has wrong counts. */
export async function recountWrongOrgs(db: Database): Promise<void> {
  const orgs = await db.$queryRaw<{ id: string }[]>`${WRONGLY_COUNTED}`;
  for (const { id } of orgs) await recountRuns(db, id);
}
