// What must hold in the tables whatever Temporal says.
import { type Database, Prisma } from "@truerun/shared/db";
import { DISPATCH_WINDOW_HOURS } from "@truerun/shared/dispatch/dispatch-window";
import { WRONGLY_COUNTED } from "./wrong-counts.ts";

/** An invariant that does not hold. */
export interface BrokenInvariant {
  /** What is wrong, worded to follow the count: "3 runs ...". */
  what: string;
  count: number;
  /** Ids of some of them. */
  examples: string[];
}

interface Invariant {
  what: string;
  /** Selects the `id` of everything that breaks it. */
  broken: Prisma.Sql;
}

const INVARIANTS: readonly Invariant[] = [
  {
    what: "runs have a `completed_at` and no end, or an end and no `completed_at`",
    broken: Prisma.sql`
      SELECT id FROM workflow_runs WHERE (status = 'started') <> (completed_at IS NULL)`,
  },
  {
    what: "runs have two rows of one step",
    broken: Prisma.sql`
      SELECT DISTINCT run_id AS id FROM (
        SELECT run_id FROM workflow_run_steps GROUP BY run_id, step_key, generation HAVING count(*) > 1
      ) AS doubled`,
  },
  {
    what: "steps belong to no run",
    broken: Prisma.sql`
      SELECT step.id FROM workflow_run_steps AS step
       WHERE NOT EXISTS (SELECT FROM workflow_runs AS run WHERE run.id = step.run_id)`,
  },
  {
    what: "Idempotency-Keys are bound to no run (their runs)",
    broken: Prisma.sql`
      SELECT key.run_id AS id FROM idempotency_keys AS key
       WHERE key.expires_at > now()
         AND NOT EXISTS (SELECT FROM workflow_runs AS run WHERE run.id = key.run_id)`,
  },
  {
    what: `runs are not dispatched and not ended after more than ${DISPATCH_WINDOW_HOURS + 1} hours; is a worker running?`,
    broken: Prisma.sql`
      SELECT id FROM workflow_runs
       WHERE dispatched_at IS NULL AND status = 'started'
         AND started_at < now() - make_interval(hours => ${DISPATCH_WINDOW_HOURS + 1})`,
  },
  {
    what: "orgs have runs that are counted wrongly: their lists are wrong",
    broken: WRONGLY_COUNTED,
  },
  {
    what: "runs ended more than ten minutes ago, unconfirmed; is a worker running?",
    broken: Prisma.sql`
      SELECT id FROM workflow_runs
       WHERE confirmed_at IS NULL AND completed_at < now() - interval '10 minutes'`,
  },
];

const EXAMPLES = 5;

/** Checks every invariant, with one statement each. */
export async function checkInvariants(db: Database): Promise<BrokenInvariant[]> {
  const broken: BrokenInvariant[] = [];
  for (const { what, broken: select } of INVARIANTS) {
    const [found] = await db.$queryRaw<{ count: number; examples: string[] | null }[]>`
      SELECT count(*)::int AS count, (array_agg(id))[1:${EXAMPLES}::int] AS examples
        FROM (${select}) AS broken`;
    const { count, examples } = found ?? { count: 0, examples: null };
    if (count > 0) broken.push({ what, count, examples: examples ?? [] });
  }
  return broken;
}
