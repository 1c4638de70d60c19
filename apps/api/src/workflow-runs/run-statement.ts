import { type Database, Prisma } from "@truerun/shared/db";
import { composeOnce, queryDirectly } from "@truerun/shared/direct-query";
import { REPEAT_WINDOW_MINUTES } from "@truerun/shared/dispatch/dispatch-window";
import { isId } from "@truerun/shared/ids";
import { AUTH_OF_ASKED, authCteOf, type Credential, RUN_OF_ORG } from "../http/authenticate.ts";
import { createJointQuery } from "./joint-query.ts";

/** How long a key keeps returning its first answer, from first use, by the database's clock. */
const KEY_LIFETIME = Prisma.sql`interval '24 hours'`;

/** One concrete request to run a workflow. */
export interface RunRequest {
  credential: Pick<Credential, "keyHash">;
  workflowName: string;
  idempotencyKey: string | null;
}

/** A run that the caller's Idempotency-Key is bound to. */
export interface BoundRun {
  id: string;
  startedAt: number;
  /** The `input` as the caller sent it. */
  inputText: string;
  requestHash: Uint8Array;
  /** Whether the run has not ended and is not known to be in Temporal, so that a repeat has to dispatch it. */
  needsDispatch: boolean;
  /** Whether it is too old for that: the sweeper is about to end it. */
  isTooLate: boolean;
}

/** A run to insert. */
export interface NewRun extends RunRequest {
  id: string;
  /** The `input` as the caller sent it, as JSON text. */
  inputText: string;
  /** SHA-256 of the decompressed body. */
  requestHash: Uint8Array<ArrayBuffer>;
  /** Room that the start event has for the definition's document, in bytes. */
  documentRoomBytes: number;
  /** When the sweeper may first dispatch the run, in ms from now. */
  sweepAfterMs: number;
  /** Database time (unix seconds) after which nothing may be inserted. */
  deadline: number;
}

/** What the statement of {@link insertRun} found and did. */
export interface InsertRow {
  org_id: string;
  org_name: string;
  /** Database time at which the deadline was checked, unix seconds. */
  at: number;
  late: boolean;
  definition_id: string | null;
  version: number | null;
  enabled: boolean | null;
  /** Whether the start event stays within its limit. */
  fits: boolean | null;
  /** The definition's document, as JSON text. */
  document: string | null;
  /** Set when the run was inserted. */
  started_at: number | null;
  bound_id: string | null;
  bound_started_at: number | null;
  bound_input: string | null;
  bound_hash: Uint8Array | null;
  bound_needs_dispatch: boolean | null;
  bound_is_too_late: boolean | null;
}

const BOUND_COLUMNS = Prisma.sql`
  r.id AS bound_id,
  floor(extract(epoch FROM r.started_at))::float8 AS bound_started_at,
  r.input::text AS bound_input,
  r.request_hash AS bound_hash,
  (r.status = 'started' AND r.dispatched_at IS NULL AND r.parent_run_id IS NULL) AS bound_needs_dispatch,
  r.started_at <= now() - make_interval(mins => ${REPEAT_WINDOW_MINUTES}) AS bound_is_too_late`;

/** Who asks for a bound run, and by which Idempotency-Key. */
interface AskedForBound {
  keyHash: Uint8Array;
  endpoint: string;
  key: string | null;
  runId: string | null;
  workflowName: string;
}

function toAsked({ credential, workflowName, idempotencyKey: key }: RunRequest): AskedForBound {
  return {
    keyHash: credential.keyHash,
    // The scope of a key: the concrete path, with its name decoded.
    endpoint: `workflows/${workflowName}/run`,
    key,
    runId: key !== null && isId("cbwr", key) ? key : null,
    workflowName,
  };
}

/**
 * For a row of `auth` and one of `asked`: the run that the key was used for within its lifetime, or the run
 * whose id is the key, which is how a caller without a key retries after a 502; that binding never expires.
 */
const BOUND = Prisma.sql`
    SELECT ${BOUND_COLUMNS}
    FROM idempotency_keys i
    JOIN workflow_runs r ON r.id = ANY (ARRAY[i.run_id])
    WHERE i.org_id = auth.org_id AND i.endpoint = asked.endpoint AND i.key = asked.key
      AND i.expires_at > now()
    UNION ALL
    SELECT ${BOUND_COLUMNS}
    FROM workflow_runs r
    WHERE r.id = asked.run_id AND ${RUN_OF_ORG} AND r.workflow_name = asked.workflow_name
    LIMIT 1`;

/** What the statement of {@link insertRun} is given. */
interface InsertValues extends AskedForBound, Omit<NewRun, keyof RunRequest> {}

/** Stands for a value of each call. */
type Value = (name: keyof InsertValues) => unknown;

/** `bound AS (...)`: the run that the request is bound to, one row or none. */
const boundCte = (value: Value) => Prisma.sql`asked AS (
      SELECT ${value("endpoint")}::text AS endpoint, ${value("key")}::text AS key,
        ${value("runId")}::text AS run_id, ${value("workflowName")}::text AS workflow_name
    ), bound AS (
      SELECT bound.* FROM auth CROSS JOIN asked CROSS JOIN LATERAL (${BOUND}) AS bound
    )`;

/** `moment`, `definition` and `allowed AS (...)`: whether the run may be inserted, one row or none. */
const allowedCtes = (value: Value) => Prisma.sql`moment AS MATERIALIZED (
      SELECT now_at AS at, now_at > to_timestamp(${value("deadline")}::float8) AS late
      FROM clock_timestamp() AS now_at
    ), definition AS (
      SELECT d.id, d.version, d.enabled, v.document::text AS document,
        octet_length(v.document::text) <= ${value("documentRoomBytes")}::int AS fits
      FROM auth
      JOIN workflow_definitions d ON d.org_id = auth.org_id AND d.name = ${value("workflowName")}::text
      JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version
    ), allowed AS (
      SELECT auth.org_id, definition.id, definition.version
      FROM auth, definition, moment
      WHERE definition.enabled AND definition.fits AND NOT moment.late
        AND NOT EXISTS (SELECT FROM bound)
    )`;

/** `claim AS (...)`: the key's row, when the key is new or has expired. Waits for a concurrent claim. */
const claimCte = (value: Value) => Prisma.sql`claim AS (
      INSERT INTO idempotency_keys AS i (org_id, endpoint, key, run_id, expires_at)
      SELECT org_id, ${value("endpoint")}::text, ${value("key")}::text, ${value("id")}::text,
        now() + ${KEY_LIFETIME}
      FROM allowed
      WHERE ${value("key")}::text IS NOT NULL
      ON CONFLICT (org_id, endpoint, key) DO UPDATE
        SET run_id = excluded.run_id, expires_at = excluded.expires_at
        WHERE i.expires_at <= now()
      RETURNING run_id
    )`;

const toInsertStatement = composeOnce<InsertValues>(
  (value) => Prisma.sql`
    WITH ${authCteOf(value("keyHash"))}, ${boundCte(value)}, ${allowedCtes(value)}, ${claimCte(value)},
    inserted AS (
      INSERT INTO workflow_runs
        (id, org_id, definition_id, definition_version, workflow_name, input, request_hash,
         next_dispatch_at)
      SELECT ${value("id")}::text, org_id, id, version, ${value("workflowName")}::text,
        ${value("inputText")}::json, ${value("requestHash")}::bytea,
        now() + ${value("sweepAfterMs")}::int * interval '1 millisecond'
      FROM allowed
      WHERE ${value("key")}::text IS NULL OR EXISTS (SELECT FROM claim)
      RETURNING floor(extract(epoch FROM started_at))::float8 AS started_at
    )
    SELECT auth.org_id, o.name AS org_name, extract(epoch FROM moment.at)::float8 AS at, moment.late,
      definition.id AS definition_id, definition.version, definition.enabled, definition.fits,
      definition.document, inserted.started_at, bound.*
    FROM auth
    JOIN organizations o ON o.id = auth.org_id
    CROSS JOIN moment
    LEFT JOIN definition ON true
    LEFT JOIN inserted ON true
    LEFT JOIN bound ON true`,
);

/**
 * The hot path: one statement that checks the key, finds the stored answer or the definition, claims the
 * Idempotency-Key and inserts the run, all or nothing. The claim waits for a concurrent request with the
 * same key; if it loses to that one, the row has neither a bound nor a started run.
 *
 * @returns null when the API key is not good
 */
export async function insertRun(db: Database, run: NewRun): Promise<InsertRow | null> {
  const statement = toInsertStatement({ ...run, ...toAsked(run) });
  const [row] = await queryDirectly<InsertRow>(db, statement);
  return row ?? null;
}

type BoundRow = { org_id: string | null } & Pick<
  InsertRow,
  Extract<keyof InsertRow, `bound_${string}`>
>;

type Lists = { [Name in keyof AskedForBound]: AskedForBound[Name][] };

const toBoundStatement = composeOnce<Lists>(
  (value) => Prisma.sql`
    SELECT asked.place::int4 AS place, auth.org_id, bound.*
    FROM unnest(
      ${value("keyHash")}::bytea[], ${value("endpoint")}::text[], ${value("key")}::text[],
      ${value("runId")}::text[], ${value("workflowName")}::text[]
    ) WITH ORDINALITY AS asked (key_hash, endpoint, key, run_id, workflow_name, place)
    ${AUTH_OF_ASKED}
    LEFT JOIN LATERAL (${BOUND}) AS bound ON true`,
);

const askForBound = createJointQuery<AskedForBound, BoundRow>((asked) =>
  toBoundStatement({
    keyHash: asked.map(({ keyHash }) => keyHash),
    endpoint: asked.map(({ endpoint }) => endpoint),
    key: asked.map(({ key }) => key),
    runId: asked.map(({ runId }) => runId),
    workflowName: asked.map(({ workflowName }) => workflowName),
  }),
);

/**
 * The run that a request's Idempotency-Key is bound to, if any.
 *
 * @returns a null `orgId` when the API key is not good
 */
export async function findBoundRun(
  db: Database,
  request: RunRequest,
): Promise<{ orgId: string | null; bound: BoundRun | null }> {
  const row = await askForBound(db, toAsked(request));
  return { orgId: row.org_id, bound: toBoundRun(row) };
}

/** The bound run among a row's columns; null when the key is bound to none. */
export function toBoundRun(row: Omit<BoundRow, "org_id">): BoundRun | null {
  if (row.bound_id === null || row.bound_input === null || row.bound_hash === null) return null;
  return {
    id: row.bound_id,
    startedAt: row.bound_started_at ?? 0,
    inputText: row.bound_input,
    requestHash: row.bound_hash,
    needsDispatch: row.bound_needs_dispatch ?? false,
    isTooLate: row.bound_is_too_late ?? false,
  };
}
