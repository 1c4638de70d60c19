// The statement behind the list of runs. Why it is as fast for a million runs as for few: docs/decisions/0009.
//
// An example: the completed runs since 9:30, 20 of them from offset 600.
//
//   workflow_run_counts    from -infinity: 2,000 completed; from 10:00: 1,990; from 11:00: 480
//   workflow_run_changes   a run of 11:20, started -> completed
//
//   span   9:30 to infinity
//   parts  block 10:00: 1,990; block 11:00: 480; change of 11:20: +1; edge infinity: 0. The first block begins before
//          the window.
//   whole  oldest 10:00, newest infinity
//   tail   9:30 to 10:00, counted run by run: 30
//   head   none; in a window until 11:40, newest is 11:00, and head is 11:00 to 11:40, counted run by run
//   total  30 + 1,990 + 480 + 1 = 2,501
//   jump   before 11:00, skipped 481: from 10:00 on it would be 2,471, which is beyond the offset
//   page   20 runs from before 11:00, newest first, after 600 - 481 = 119 others
import type { RunStatus } from "@truerun/shared/contracts/statuses";
import { type Database, Prisma } from "@truerun/shared/db";
import { authCte, type Credential } from "../http/authenticate.ts";

/** Whose runs, which of them, and which page; already validated. */
export interface RunPageRequest {
  credential: Credential;
  /** Only runs of the definition with this name; null: of all. */
  workflowName: string | null;
  /** Only runs with these statuses; each is listed once. */
  statuses: readonly RunStatus[];
  /** Unix seconds, both inclusive; null: no bound. */
  createdAfter: number | null;
  createdBefore: number | null;
  limit: number;
  offset: number;
}

export interface RunPageRow {
  org_id: string;
  /** Whether the org has a definition of the wanted name. */
  name_known: boolean;
  /** How many runs match the filter, over all pages. */
  total: number;
  /** JSON text of the page's rows. */
  entries: string;
}

/**
 * One page of an org's runs, newest first, and the exact total, both from one snapshot.
 *
 * @returns undefined when the API key is not good
 */
export async function readRunPage(
  db: Pick<Database, "$queryRaw">,
  request: RunPageRequest,
): Promise<RunPageRow | undefined> {
  const [row] = await db.$queryRaw<RunPageRow[]>`
    WITH ${authCte(request.credential)}, definition AS (
      SELECT d.id FROM auth JOIN workflow_definitions d
        ON d.org_id = auth.org_id AND d.name = ${request.workflowName}::text
    ), ${countCtes(request)}, ${pageCtes(request)}
    SELECT auth.org_id, EXISTS (SELECT FROM definition) AS name_known,
      (SELECT n FROM total)::float8 AS total,
      (SELECT coalesce(json_agg(json_build_object(
          'id', page.id, 'workflow_name', d.name, 'definition_id', page.definition_id,
          'status', page.status,
          'started_at', floor(extract(epoch FROM page.started_at))::int8,
          'completed_at', floor(extract(epoch FROM page.completed_at))::int8,
          'step_count', coalesce(page.step_count, (SELECT count(*) FROM workflow_run_steps s
            WHERE s.run_id = page.id AND s.generation = page.generation))
        ) ORDER BY page.started_at DESC, page.id DESC), '[]')::text
       FROM page LEFT JOIN workflow_definitions d ON d.id = page.definition_id) AS entries
    FROM auth`;
  return row;
}

/**
 * `span`: the window, excluding `until`. `parts`: the blocks that begin in it, and the changes in it that are
 * not added up yet, each with the number of runs that match the filter. `whole`: the range of the blocks that
 * lie completely in the window; `head` and `tail`, the parts of the window after and before it, are counted
 * run by run. `total`: the sum.
 */
function countCtes(request: RunPageRequest): Prisma.Sql {
  const { createdAfter: after, createdBefore: before, statuses } = request;
  const inScope = scope(request);
  const isWanted = (status: RunStatus) => Prisma.sql`${statuses.includes(status) ? 1 : 0}::int`;
  const countBetween = (from: Prisma.Sql, until: Prisma.Sql) => Prisma.sql`
    (SELECT count(*) FROM workflow_runs r
      WHERE ${inScope} AND r.status = ANY(${[...statuses]}::text[])
        AND r.started_at >= ${from} AND r.started_at < ${until})`;
  return Prisma.sql`span AS MATERIALIZED (
      -- A run created within the last second counts, so what is excluded begins with the next one.
      SELECT coalesce(to_timestamp(${toSeconds(after)}::float8), '-infinity') AS since,
        coalesce(to_timestamp(${toSeconds(before === null ? null : before + 1)}::float8), 'infinity') AS until
    ), parts AS MATERIALIZED (
      SELECT c.from_at AS at, true AS is_block,
        c.started * ${isWanted("started")} + c.completed * ${isWanted("completed")}
          + c.canceled * ${isWanted("canceled")} + c.failed * ${isWanted("failed")} AS n
      FROM workflow_run_counts c
      WHERE c.org_id = (SELECT org_id FROM auth)
        AND c.definition_id = ${request.workflowName === null ? Prisma.sql`''` : DEFINITION}
        AND c.from_at >= (SELECT since FROM span) AND c.from_at <= (SELECT until FROM span)
      UNION ALL
      SELECT r.started_at, false, coalesce(r.status_after = ANY(${[...statuses]}::text[]), false)::int
        - coalesce(r.status_before = ANY(${[...statuses]}::text[]), false)::int
      FROM workflow_run_changes r
      WHERE ${inScope}
        AND r.started_at >= (SELECT since FROM span) AND r.started_at < (SELECT until FROM span)
      UNION ALL
      -- Without a bound, nothing is outside of the blocks.
      SELECT edge, true, 0 FROM (VALUES ('-infinity'::timestamptz), ('infinity')) AS edges(edge)
      WHERE edge IN (SELECT since FROM span UNION ALL SELECT until FROM span)
    ), whole AS MATERIALIZED (
      SELECT coalesce(min(at) FILTER (WHERE is_block), (SELECT until FROM span)) AS oldest,
        coalesce(max(at) FILTER (WHERE is_block), (SELECT since FROM span)) AS newest FROM parts
    ), head AS MATERIALIZED (
      SELECT newest, ${countBetween(Prisma.sql`newest`, Prisma.sql`until`)} AS n FROM whole, span
    ), tail AS (
      SELECT ${countBetween(Prisma.sql`since`, Prisma.sql`least(oldest, newest)`)} AS n FROM whole, span
    ), total AS (
      SELECT head.n + tail.n
        + coalesce((SELECT sum(n) FROM parts, whole WHERE at >= oldest AND at < newest), 0) AS n
      FROM head, tail
    )`;
}

/**
 * `jump`: the oldest beginning of a block with at most `offset` matching runs from there on, and their number.
 * `page`: the rest of the offset is walked from there, which is one block at most.
 */
function pageCtes(request: RunPageRequest): Prisma.Sql {
  const offset = Prisma.sql`${request.offset}::int8`;
  const left = Prisma.sql`(${offset} - (SELECT skipped FROM jump))`;
  const branch = (status: RunStatus) => Prisma.sql`
    (SELECT r.id, r.definition_id, r.status, r.started_at, r.completed_at, r.generation,
       -- What the end said is exact once it is confirmed; counting thousands of steps a run takes long.
       CASE WHEN r.confirmed_at IS NOT NULL THEN r.step_count END AS step_count
     FROM workflow_runs r
     WHERE ${scope(request)} AND r.status = ${status}::text
       AND r.started_at >= (SELECT since FROM span) AND r.started_at < (SELECT before FROM jump)
     -- Order and limit are what has the planner walk the index.
     ORDER BY r.started_at DESC, r.id DESC LIMIT ${left} + ${request.limit}::int8)`;
  return Prisma.sql`jump AS MATERIALIZED (
      SELECT min(at) AS before, max(skipped)::int8 AS skipped FROM (
        SELECT at, skipped FROM (
          SELECT at, is_block,
            (SELECT n FROM head) + sum(n) OVER (ORDER BY at DESC) AS skipped
          FROM parts, whole WHERE at >= oldest AND at < newest
        ) AS passed WHERE is_block AND skipped <= ${offset}
        UNION ALL SELECT newest, n FROM head WHERE n <= ${offset}
        UNION ALL SELECT until, 0 FROM span
      ) AS candidates
    ), page AS (
      SELECT * FROM (${Prisma.join(request.statuses.map(branch), " UNION ALL ")}) AS merged
      ORDER BY started_at DESC, id DESC LIMIT ${request.limit}::int8 OFFSET ${left}
    )`;
}

const DEFINITION = Prisma.sql`(SELECT definition.id FROM definition)`;

/** The conditions on `r`: its org, and its definition if one is wanted. */
function scope({ workflowName }: RunPageRequest): Prisma.Sql {
  const ofOrg = Prisma.sql`r.org_id = (SELECT org_id FROM auth)`;
  return workflowName === null ? ofOrg : Prisma.sql`${ofOrg} AND r.definition_id = ${DEFINITION}`;
}

/** The years 1 to 9999: within what Postgres can represent, and beyond any run's time. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

function toSeconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.min(Math.max(seconds, FIRST_SECOND), LAST_SECOND);
}
