import { Prisma } from "@truerun/shared/db";
import { composeOnce, type Statement } from "@truerun/shared/direct-query";
import { isId } from "@truerun/shared/ids";
import type { EndpointServices } from "../dependencies.ts";
import { AUTH_OF_ASKED, RUN_OF_ORG } from "../http/authenticate.ts";
import type { EndpointRequest } from "../http/define-endpoint.ts";
import { workflowRunNotFound } from "../http/errors.ts";
import { idSchema } from "../http/parameters.ts";
import { createJointQuery } from "./joint-query.ts";
import type { Pending } from "./pending-run.ts";
import { type RunRow, type ReadStep, toRunView, toStepText, withMember } from "./run-view.ts";

/** The path parameter that names a run. */
export const workflowRunIdParam = idSchema("cbwr", "The run");

/** What may be added to a run's view. */
export const INCLUDES = ["input", "error", "details", "pending"] as const;
export type Include = (typeof INCLUDES)[number];

/** A run and its steps as stored in the tables. */
export interface ReadRun extends RunRow {
  /** In the order in which they were recorded. */
  steps: ReadStep[];
  /** The input's text, if asked for. */
  input: string | null;
  error_code: string | null;
  error_message: string | null;
  /** Id of the caller's API key. */
  key_id: string;
  /** Whether Temporal is known to have taken the run. */
  dispatched: boolean;
  /** JSON text of the definition's version, if `pending` was asked for. */
  document: string | null;
}

const NOTHING = Prisma.sql`NULL`;
const NO_INCLUDES: ReadonlySet<Include> = new Set();
const DETAILS = Prisma.sql`, 'details', json_build_object('attempt', s.attempt, 'output', s.output::text,
  'started_at_ms', s.started_at_ms, 'finished_at_ms', s.finished_at_ms,
  'item_index', s.item_index)`;
const DOCUMENT = Prisma.sql`(SELECT v.document::text FROM workflow_definition_versions v
  WHERE v.definition_id = r.definition_id AND v.version = r.definition_version)`;

type RunOfRequest = Pick<EndpointRequest, "credential" | "param" | "confirm" | "note">;

/**
 * The run that the path names, read in the statement that checks the key.
 *
 * @throws 401 for a bad key; 404 for a malformed id, one that does not exist and one of another org
 */
export async function readRun(
  request: RunOfRequest,
  services: Pick<EndpointServices, "db">,
  include: ReadonlySet<Include> = NO_INCLUDES,
): Promise<ReadRun> {
  return await ask(request, services, { query: askForRun(include), stepId: null });
}

/**
 * As {@link readRun}, but with no step, or one: a decision must not take as long as all steps of a large run.
 *
 * @param stepId - null: no step
 */
export async function readRunHead(
  request: RunOfRequest,
  services: Pick<EndpointServices, "db">,
  stepId: string | null = null,
): Promise<ReadRun> {
  return await ask(request, services, { query: askForHead, stepId });
}

async function ask(
  request: RunOfRequest,
  { db }: Pick<EndpointServices, "db">,
  { query, stepId }: { query: RunQuery; stepId: string | null },
): Promise<ReadRun> {
  const id = request.param("workflow_run_id").text;
  if (id === null || !isId("cbwr", id)) throw workflowRunNotFound();
  const row = await query(db, { keyHash: request.credential.keyHash, id, stepId });
  request.confirm(row.org_id);
  if (row.id === null) throw workflowRunNotFound();
  request.note({ workflowRunId: id });
  return { ...row, steps: JSON.parse(row.steps) as ReadStep[] };
}

interface Asked {
  keyHash: Uint8Array;
  id: string;
  stepId: string | null;
}

type Found = { org_id: string | null } & (
  | { id: null }
  | (Omit<ReadRun, "steps"> & {
      /** JSON text of a list of {@link ReadStep}. */
      steps: string;
    })
);

type RunQuery = ReturnType<typeof createJointQuery<Asked, Found>>;

const OF_RUN = Prisma.sql`s.run_id = r.id AND s.generation = r.generation`;
const askForHead = createJointQuery<Asked, Found>(
  createStatement(NO_INCLUDES, Prisma.sql`${OF_RUN} AND s.id = asked.step_id`),
);
const queries = new Map<string, RunQuery>();

/** The joint query of all requests with the same includes. */
function askForRun(include: ReadonlySet<Include>): RunQuery {
  const name = INCLUDES.filter((each) => include.has(each)).join();
  const query =
    queries.get(name) ?? createJointQuery<Asked, Found>(createStatement(include, OF_RUN));
  queries.set(name, query);
  return query;
}

/** One that reads the runs that are asked for, each for its own key. @param ofStep - which steps */
function createStatement(
  include: ReadonlySet<Include>,
  ofStep: Prisma.Sql,
): (asked: readonly Asked[]) => Statement {
  const toStatement = composeOnce<{
    keyHashes: Uint8Array[];
    ids: string[];
    stepIds: (string | null)[];
  }>(
    (value) => Prisma.sql`
    SELECT asked.place::int4 AS place, auth.org_id, auth.key_id, r.id, d.name AS workflow_name,
      r.definition_id, r.status,
      floor(extract(epoch FROM r.started_at))::float8 AS started_at,
      floor(extract(epoch FROM r.completed_at))::float8 AS completed_at,
      r.error_code, r.error_message,
      (r.dispatched_at IS NOT NULL OR r.temporal_run_id IS NOT NULL) AS dispatched,
      ${include.has("input") ? Prisma.sql`r.input::text` : NOTHING} AS input,
      ${include.has("pending") ? DOCUMENT : NOTHING} AS document,
      (SELECT coalesce(json_agg(json_build_object(
          'id', s.id, 'step_key', s.step_key, 'component_id', s.component_id, 'component_name', s.component_name,
          'action_type', s.action_type, 'status', s.status, 'message', s.message,
          'artifacts', s.artifacts,
          'created_at', floor(extract(epoch FROM s.created_at))::int8,
          'updated_at', floor(extract(epoch FROM s.updated_at))::int8
          ${include.has("details") ? DETAILS : Prisma.empty}
        ) ORDER BY s.ordinal), '[]')::text
       FROM workflow_run_steps s WHERE ${ofStep}) AS steps
    FROM unnest(${value("keyHashes")}::bytea[], ${value("ids")}::text[], ${value("stepIds")}::text[])
      WITH ORDINALITY AS asked (key_hash, id, step_id, place)
    ${AUTH_OF_ASKED}
    LEFT JOIN LATERAL (
      SELECT * FROM workflow_runs AS r WHERE r.id = asked.id AND ${RUN_OF_ORG} LIMIT 1
    ) AS r ON true
    LEFT JOIN LATERAL (
      SELECT name FROM workflow_definitions AS d
      WHERE d.id = r.definition_id AND coalesce(d.org_id, '') = auth.org_id LIMIT 1
    ) AS d ON true`,
  );
  return (asked) =>
    toStatement({
      keyHashes: asked.map(({ keyHash }) => keyHash),
      ids: asked.map(({ id }) => id),
      stepIds: asked.map(({ stepId }) => stepId),
    });
}

/** A run's JSON as get-run answers it, with the requested includes at the end. */
export function toRunText(
  run: ReadRun,
  include: ReadonlySet<Include> = NO_INCLUDES,
  pending: Pending | null = null,
): string {
  const steps = run.steps.map((step) => toStepText(step, pending?.step(step)));
  let text = withMember(JSON.stringify(toRunView(run)), "steps", `[${steps.join()}]`);
  if (run.input !== null) text = withMember(text, "input", run.input);
  if (include.has("error")) {
    const { error_code: code, error_message: message } = run;
    const error = code === null ? null : { code, message: message ?? "" };
    text = withMember(text, "error", JSON.stringify(error));
  }
  if (pending !== null) text = withMember(text, "pending", JSON.stringify(pending.run));
  return text;
}
