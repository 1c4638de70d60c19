// Makes the row of a child run: the part of `run_workflow` that workflow code cannot do.
import { createHash } from "node:crypto";
import { ApplicationFailure } from "@temporalio/common";
import { explainChain } from "@truerun/shared/contracts/child-runs";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { Ancestor, RunIdentity } from "@truerun/shared/contracts/run-requested-event";
import type { RunStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import { findDefinition, type SavedDefinition } from "@truerun/shared/definitions/definition-store";
import { isWorkflowName } from "@truerun/shared/definitions/workflow-name";
import {
  DISPATCHABLE_COLUMNS,
  DISPATCHABLE_JOINS,
  type DispatchableRow,
  toDispatchableRun,
} from "@truerun/shared/dispatch/dispatchable-row";
import {
  type DispatchableRun,
  MAX_EVENT_BYTES,
  serializedEventBytes,
} from "@truerun/shared/dispatch/run-requested";
import type { Logger } from "@truerun/shared/logger";
import { askDatabase } from "../ask-database.ts";
import type { AttemptTimes } from "../component-failure.ts";

/** What a parent run asks for. */
export interface ChildRunRequest {
  /** The child's id: a request makes one row, however often it is repeated. */
  child_run_id: string;
  workflow_name: string;
  input: JsonObject;
  parent: RunIdentity;
  /** The Temporal run of the parent run. */
  parent_temporal_run_id: string;
}

/** All that the parent run needs to start the child, but the input, which it has. */
type StartableChild = Omit<DispatchableRun, "input"> & { ancestors: readonly Ancestor[] };

/** What the parent run gets. The times let as many child runs as are made quickly share a workflow task. */
export type ChildRun = StartableChild & Omit<AttemptTimes, "attempt">;

export interface ChildRunDependencies {
  db: Database;
  logger: Logger;
}

/**
 * The local activity behind `run_workflow`.
 *
 * @returns a function that rejects with a non-retryable failure when the child run must not be started, and
 * with a retryable one when the database failed
 */
export function createChildRunActivity({ db, logger }: ChildRunDependencies) {
  return async (request: ChildRunRequest): Promise<ChildRun> => {
    const startedAt = Date.now();
    const made = await askDatabase(
      () => createChildRun(db, request),
      (error) => {
        logger.warn(
          { err: error, workflowRunId: request.parent.workflow_run_id },
          "a child run's row was not made; it is tried again",
        );
      },
    );
    return { ...made, started_at_ms: startedAt, finished_at_ms: Date.now() };
  };
}

async function createChildRun(db: Database, request: ChildRunRequest): Promise<StartableChild> {
  const ancestors = toAncestors(request.parent);
  // The row of an earlier attempt stands, whatever has become of the definition since.
  const existing = await findRun(db, request.child_run_id);
  const row = existing ?? (await insert(db, request, await resolve(db, request, ancestors)));
  // Another attempt was faster: the next one finds its row.
  if (row === null) throw new Error("The child run was inserted meanwhile");
  if (row.status !== "started") {
    throw refusal("RunEnded", `The run ${row.id} was ${row.status} before it was started.`);
  }
  const { input: _input, ...run } = toDispatchableRun(row);
  return { ...run, ancestors };
}

/** The definition to run; refuses what must not be run. */
async function resolve(
  db: Database,
  request: ChildRunRequest,
  ancestors: readonly Ancestor[],
): Promise<SavedDefinition> {
  const { workflow_name: name, parent } = request;
  const definition = isWorkflowName(name)
    ? await findDefinition(db, { orgId: parent.org_id, name })
    : null;
  if (definition === null) throw refusal("WorkflowNotFound", `Workflow '${name}' not found.`);
  if (!definition.enabled) throw refusal("WorkflowDisabled", `Workflow '${name}' is disabled.`);
  const chain = [...ancestors, { workflow_definition_id: definition.id, workflow_name: name }];
  const fault = explainChain(
    chain.map((run) => ({
      definition: run.workflow_definition_id,
      workflowName: run.workflow_name,
    })),
  );
  if (fault !== null) throw refusal("ChildRunTooDeep", `Not started: ${fault}.`);
  const bytes = serializedEventBytes(toSample(request, definition, ancestors));
  if (bytes > MAX_EVENT_BYTES) {
    const message = `The input is too large for a run of '${name}': with its definition it has ${bytes} bytes; ${MAX_EVENT_BYTES} are the most.`;
    throw refusal("InputTooLarge", message);
  }
  return definition;
}

function toAncestors({ ancestors = [], ...parent }: RunIdentity): readonly Ancestor[] {
  const { workflow_definition_id, workflow_name } = parent;
  return [...ancestors, { workflow_definition_id, workflow_name }];
}

/** The run as it would be, to be measured. */
function toSample(
  request: ChildRunRequest,
  definition: SavedDefinition,
  ancestors: readonly Ancestor[],
): DispatchableRun {
  return {
    workflowRunId: request.child_run_id,
    orgId: request.parent.org_id,
    orgName: "",
    workflowName: request.workflow_name,
    workflowDefinitionId: definition.id,
    definitionVersion: definition.version,
    startedAt: Math.floor(Date.now() / 1_000),
    input: request.input,
    document: definition.document,
    ancestors,
  };
}

type ChildRow = DispatchableRow & { status: RunStatus };

async function findRun(db: Database, id: string): Promise<ChildRow | null> {
  const rows = await db.$queryRaw<ChildRow[]>`
    SELECT ${DISPATCHABLE_COLUMNS}, r.status FROM workflow_runs r ${DISPATCHABLE_JOINS}
     WHERE r.id = ${id}`;
  return rows[0] ?? null;
}

/** @returns null when another attempt inserted the row meanwhile */
async function insert(
  db: Database,
  request: ChildRunRequest,
  definition: SavedDefinition,
): Promise<ChildRow | null> {
  const { child_run_id, workflow_name, parent, parent_temporal_run_id } = request;
  const input = JSON.stringify(request.input);
  const hash = new Uint8Array(createHash("sha256").update(input).digest());
  const rows = await db.$queryRaw<ChildRow[]>`
    WITH r AS (
      INSERT INTO workflow_runs
        (id, org_id, definition_id, definition_version, workflow_name, input, request_hash,
         parent_run_id, parent_temporal_run_id, next_dispatch_at)
      VALUES (${child_run_id}, ${parent.org_id}, ${definition.id}, ${definition.version},
        ${workflow_name}, ${input}::json, ${hash}::bytea, ${parent.workflow_run_id},
        ${parent_temporal_run_id}, now() + ${START_WITHIN_SECONDS}::int * interval '1 second')
      ON CONFLICT (id) DO NOTHING
      RETURNING *
    )
    SELECT ${DISPATCHABLE_COLUMNS}, r.status FROM r ${DISPATCHABLE_JOINS}`;
  return rows[0] ?? null;
}

/** The parent starts its child right after the row was made; after this long it is checked whether it did. */
const START_WITHIN_SECONDS = 60;

function refusal(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
