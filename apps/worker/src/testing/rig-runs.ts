// For tests only: runs with definitions of their own, as the gateway would have made them.
import type {
  ComponentDefinition,
  RetryPolicy,
  WorkflowDefinitionDocument,
} from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { Database } from "@truerun/shared/db";
import type { Dispatcher } from "@truerun/shared/dispatch/dispatcher";
import type { DispatchableRun } from "@truerun/shared/dispatch/run-requested";
import { newId } from "@truerun/shared/ids";

export interface RunSpec {
  /** Default: a new one. */
  id?: string;
  /** Default: an org of its own. Runs of one org need different names. */
  orgId?: string;
  name?: string;
  description?: string;
  input?: JsonObject;
  timeout?: string;
  components: ComponentDefinition[];
  /** Other definitions of the run's org, by their names. */
  others?: Readonly<Record<string, OtherDefinition>>;
  /** False: only the row. */
  dispatch?: boolean;
  /** Default: the rig's. */
  dispatcher?: Dispatcher;
}

export interface OtherDefinition {
  components: ComponentDefinition[];
  timeout?: string;
  description?: string;
  enabled?: boolean;
}

export type RunRow = Awaited<ReturnType<typeof readRun>>;

/** A retry policy with equal pauses. @param attempts - in all, the first included */
export function retryEvery(interval: string, attempts: number): RetryPolicy {
  return {
    max_attempts: attempts,
    initial_interval: interval,
    backoff_coefficient: 1,
    max_interval: interval,
  };
}

/** A component of a definition with everything that a test does not care about filled in. */
export function component(
  key: string,
  given: Partial<Omit<ComponentDefinition, "id" | "key">> = {},
): ComponentDefinition {
  return {
    id: newId("cbwc"),
    key,
    name: key,
    action: "transform",
    with: { value: key },
    next: [],
    timeout: "30s",
    retry: retryEvery("1s", 2),
    on_failure: "fail_run",
    ...given,
  };
}

/** A component that runs inside its workflow task. */
export function local(
  key: string,
  given: Partial<Omit<ComponentDefinition, "id" | "key">> = {},
): ComponentDefinition {
  return component(key, { execution: "local", timeout: "5s", ...given });
}

/** Inserts a run with all that it belongs to, and hands it to Temporal unless told otherwise. @returns its id */
export async function startRun(
  { db, dispatcher }: { db: Database; dispatcher: Dispatcher },
  spec: RunSpec,
): Promise<string> {
  const run = toDispatchable(spec);
  const { workflowRunId: id, orgId, workflowDefinitionId, document } = run;
  const org = { id: orgId, name: run.orgName };
  await db.organization.createMany({ data: [org], skipDuplicates: true });
  await insertDefinition(db, { id: workflowDefinitionId, orgId, name: run.workflowName, document });
  for (const [name, other] of Object.entries(spec.others ?? {})) {
    const { enabled, ...given } = other;
    const definition = { id: newId("cbwd"), orgId, name, document: toDocument(given) };
    await insertDefinition(db, { ...definition, ...(enabled === undefined ? {} : { enabled }) });
  }
  await db.workflowRun.create({
    data: {
      id,
      orgId,
      definitionId: workflowDefinitionId,
      definitionVersion: 1,
      workflowName: run.workflowName,
      input: run.input as never,
      requestHash: new Uint8Array(32),
    },
  });
  if (spec.dispatch === false) return id;
  const result = await dispatcher.dispatch(run);
  if (result.kind !== "dispatched") throw new Error(`Not dispatched: ${result.reason}`);
  return id;
}

async function insertDefinition(
  db: Database,
  definition: {
    id: string;
    orgId: string;
    name: string;
    enabled?: boolean;
    document: WorkflowDefinitionDocument;
  },
): Promise<void> {
  const { id, orgId, name, enabled = true, document } = definition;
  await db.workflowDefinition.create({ data: { id, orgId, name, enabled, version: 1 } });
  await db.workflowDefinitionVersion.create({
    data: { definitionId: id, version: 1, document: document as never },
  });
}

function toDocument(given: Omit<OtherDefinition, "enabled">): WorkflowDefinitionDocument {
  return { description: "", timeout: "1h", ...given };
}

function toDispatchable(spec: RunSpec): DispatchableRun {
  const orgId = spec.orgId ?? newId("cborg");
  return {
    workflowRunId: spec.id ?? newId("cbwr"),
    orgId,
    orgName: orgId,
    workflowName: spec.name ?? "test-workflow",
    workflowDefinitionId: newId("cbwd"),
    definitionVersion: 1,
    startedAt: Math.floor(Date.now() / 1_000),
    input: spec.input ?? {},
    document: {
      description: spec.description ?? "",
      timeout: spec.timeout ?? "1h",
      components: spec.components,
    },
  };
}

/** What is asked again and again while a run is waited for: its values and steps may be megabytes. */
export async function readHead(db: Database, id: string) {
  const select = { status: true, confirmedAt: true } as const;
  return await db.workflowRun.findUniqueOrThrow({ where: { id }, select });
}

/** A run's row with the steps of its generation. */
export async function readRun(db: Database, id: string) {
  const run = await db.workflowRun.findUniqueOrThrow({ where: { id } });
  const steps = await db.workflowRunStep.findMany({
    where: { runId: id, generation: run.generation },
    orderBy: { ordinal: "asc" },
  });
  return { ...run, steps };
}
