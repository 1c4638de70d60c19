import { createHash, randomBytes } from "node:crypto";
import type { WorkflowDefinitionDocument } from "@truerun/shared/contracts/definition";
import { isWorkflowName } from "@truerun/shared/definitions/workflow-name";
import { newId } from "@truerun/shared/ids";
import { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import { type Answer, defineEndpoint, type EndpointRequest } from "../http/define-endpoint.ts";
import {
  ApiError,
  invalidRequest,
  payloadTooLarge,
  serviceUnavailable,
  workflowNotFound,
} from "../http/errors.ts";
import { workflowNameParam } from "../http/parameters.ts";
import type { Body } from "../http/parse-json-body.ts";
import { dispatchFailed, dispatchRun, getDispatchableRun } from "./dispatch-run.ts";
import { documentRoomBytes } from "./event-size.ts";
import { idempotencyKeySchema, readIdempotencyKey } from "./idempotency-key.ts";
import { parseRunBody, type RunInput, runBodyDocumentation } from "./run-body.ts";
import {
  type BoundRun,
  findBoundRun,
  type InsertRow,
  insertRun,
  type NewRun,
  toBoundRun,
} from "./run-statement.ts";
import { startedRunSchema, toStartedRunText } from "./run-view.ts";

/** After this long a run is no longer inserted; less than a statement may take. */
const INSERT_WITHIN_MS = 2_300;
/** How long after the dispatch deadline of the request's own try the sweeper may take over. */
const SWEEP_SLACK_MS = 2_000;
const MAX_TRIES = 3;

/** Commits the run, then hands it to Temporal. */
export const runWorkflow = defineEndpoint({
  operationId: "runWorkflow",
  summary: "Run a workflow",
  description:
    "Creates a run and starts it. Answers once the start was accepted; never waits for a component.",
  tag: "Workflow runs",
  access: "any_key",
  load: "starts",
  params: z.object({ workflow_name: workflowNameParam }),
  headers: z.object({ "Idempotency-Key": idempotencyKeySchema.optional() }),
  body: {
    schema: runBodyDocumentation,
    required: false,
    example: { input: { vendor_filter: { tags: ["processes_pii"] }, due_date: "2026-06-30" } },
  },
  responses: {
    201: {
      description: "The run was started, or was started by an earlier request with the same key.",
      schema: startedRunSchema,
      headers: z.object({
        "Idempotent-Replayed": z
          .literal("true")
          .optional()
          .meta({ description: "This is the answer to an earlier request with the same key." }),
        "Idempotency-Mismatch": z
          .literal("true")
          .optional()
          .meta({ description: "The earlier request with this key had another body." }),
      }),
    },
  },
  errors: ["workflow_not_found", "workflow_disabled", "workflow_dispatch_failed"],
  async handler(request, services) {
    const name = request.param("workflow_name");
    const workflowName = name.text !== null && isWorkflowName(name.text) ? name.text : null;
    const key = readIdempotencyKey(request.headers);
    const common = { credential: request.credential, requestHash: hashBody(request.body) };
    if ("value" in key && key.value !== null && workflowName !== null) {
      const keyed = { ...common, workflowName, idempotencyKey: key.value };
      const replayed = await findReplay(request, services, keyed);
      if (replayed !== null) return replayed;
    }
    const input = parseRunBody(request.body);
    if ("faults" in key || "faults" in input) {
      throw invalidRequest([key, input].flatMap((part) => ("faults" in part ? part.faults : [])));
    }
    if (workflowName === null) throw workflowNotFound(name.text ?? name.raw);
    const wanted = { ...common, workflowName, idempotencyKey: key.value, input };
    return createRun(request, services, wanted);
  },
});

/** The parts of a run request that are checked before its body. */
type KeyedRequest = Pick<NewRun, "credential" | "workflowName" | "idempotencyKey" | "requestHash">;

type WantedRun = KeyedRequest & { input: RunInput };

type Request = Pick<EndpointRequest, "confirm" | "note">;

async function createRun(
  request: Request,
  services: EndpointServices,
  wanted: WantedRun,
): Promise<Answer> {
  const { startsDb: db, clock, config } = services;
  const id = newId("cbwr");
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const deadline = await clock.deadline(INSERT_WITHIN_MS);
    const sentAtMs = clock.now();
    const row = await insertRun(db, {
      ...wanted,
      id,
      inputText: wanted.input.text,
      documentRoomBytes: documentRoomBytes(wanted.workflowName, wanted.input),
      sweepAfterMs: config.DISPATCH_DEADLINE_MS + SWEEP_SLACK_MS,
      deadline,
    });
    request.confirm(row?.org_id);
    if (row === null) break;
    clock.learn(sentAtMs, row.at);
    const bound = toBoundRun(row) ?? (await findWinner(request, services, { wanted, row }));
    if (bound !== null) return replay(request, services, { bound, ...wanted });
    if (row.started_at !== null) return start(request, services, { id, row, wanted });
    if (row.late && clock.now() - sentAtMs >= INSERT_WITHIN_MS) break;
    // Otherwise the estimate of the database's clock was off, or the claimed key was released meanwhile.
  }
  throw serviceUnavailable(new Error("the run was not inserted in time"));
}

/**
 * The run of a concurrent request that claimed the same key first: it was committed while this
 * request's statement waited, and is invisible to that statement.
 *
 * @throws when the run cannot be created at all
 */
async function findWinner(
  request: Request,
  { startsDb: db }: EndpointServices,
  { wanted, row }: { wanted: WantedRun; row: InsertRow },
): Promise<BoundRun | null> {
  if (row.started_at !== null) return null;
  if (row.definition_id === null) throw workflowNotFound(wanted.workflowName);
  if (row.enabled === false) {
    const message = `Workflow '${wanted.workflowName}' is disabled.`;
    throw new ApiError("workflow_disabled", { message });
  }
  if (row.fits === false) {
    throw payloadTooLarge("The input is too large for a run of this workflow.");
  }
  if (wanted.idempotencyKey === null || row.late) return null;
  const found = await findBoundRun(db, wanted);
  request.confirm(found.orgId);
  return found.bound;
}

async function start(
  request: Request,
  services: EndpointServices,
  { id, row, wanted }: { id: string; row: InsertRow; wanted: WantedRun },
): Promise<Answer> {
  const { definition_id: workflowDefinitionId, version, document, started_at: startedAt } = row;
  if (
    workflowDefinitionId === null ||
    version === null ||
    document === null ||
    startedAt === null
  ) {
    throw new Error(`Run ${id} was inserted without a definition`);
  }
  request.note({ workflowRunId: id });
  await dispatchRun(services, {
    workflowRunId: id,
    orgId: row.org_id,
    orgName: row.org_name,
    workflowName: wanted.workflowName,
    workflowDefinitionId,
    definitionVersion: version,
    startedAt,
    input: wanted.input.value,
    document: JSON.parse(document) as WorkflowDefinitionDocument,
  });
  const { workflowName } = wanted;
  const text = toStartedRunText({ id, workflowName, startedAt, inputText: wanted.input.text });
  return { status: 201, text };
}

/**
 * The stored answer to a request with this key, or null. Looked up before anything else: a repeat is then a cheap
 * read that takes no lock and writes nothing, while a key's first request pays for one extra statement.
 */
async function findReplay(
  request: Request,
  services: EndpointServices,
  keyed: KeyedRequest,
): Promise<Answer | null> {
  const { orgId, bound } = await findBoundRun(services.startsDb, keyed);
  request.confirm(orgId);
  return bound === null ? null : replay(request, services, { ...keyed, bound });
}

/** The first answer, byte for byte; a run that is not known to be in Temporal is dispatched first. */
async function replay(
  request: Request,
  services: EndpointServices,
  {
    bound,
    workflowName,
    requestHash,
  }: Pick<NewRun, "workflowName" | "requestHash"> & {
    bound: BoundRun;
  },
): Promise<Answer> {
  request.note({ workflowRunId: bound.id });
  if (bound.needsDispatch && !services.marks.holds(bound.id)) {
    if (bound.isTooLate) throw dispatchFailed(bound.id, "it has waited for too long");
    await dispatchRun(services, await getDispatchableRun(services.startsDb, bound.id));
  }
  const headers: Record<string, string> = { "Idempotent-Replayed": "true" };
  if (!Buffer.from(requestHash).equals(bound.requestHash)) headers["Idempotency-Mismatch"] = "true";
  return { status: 201, headers, text: toStartedRunText({ ...bound, workflowName }) };
}

/** SHA-256 of the decompressed body; of one that cannot be read, what no body has. */
function hashBody(body: Body): Uint8Array<ArrayBuffer> {
  if ("fault" in body) return new Uint8Array(randomBytes(32));
  return new Uint8Array(createHash("sha256").update(body.bytes).digest());
}
