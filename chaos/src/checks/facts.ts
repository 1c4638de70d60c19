import type { Client } from "@temporalio/client";
import type { RunStatus, StepStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import type { FaultRecord, OperatorRecord } from "../faults/fault-record.ts";
import { groupBy } from "./group-by.ts";
import type { Ledger } from "../load/ledger.ts";
import type { FaultKind } from "../plan/fault.ts";
import type { SentRun } from "../load/send-load.ts";
import type { Shape } from "../load/shape.ts";
import type { Sighting } from "../watch/sightings.ts";
import type { Watch } from "../watch/watch-runs.ts";
import type { Findings } from "./findings.ts";

/** A run as the tables have it. Times are unix milliseconds. */
export interface RunRow {
  id: string;
  workflowName: string;
  status: RunStatus;
  /** From the caller's input; null in a run that no load item is behind. */
  loadId: string | null;
  isDispatched: boolean;
  confirmedAt: number | null;
}

/** A step of a run's current generation. */
export interface StepFact {
  runId: string;
  key: string;
  status: StepStatus | null;
  attempt: number | null;
  createdAt: number;
  updatedAt: number;
}

/** A Temporal run of a workflow run. */
export interface Execution {
  runId: string;
  temporalRunId: string;
  /** The first Temporal run in its chain: a reset keeps it, a second start would not. */
  firstTemporalRunId: string;
  startedAt: number;
  closedAt: number | null;
}

/** Everything that the checks use, read when all is at rest. */
export interface Facts {
  runs: ReadonlyMap<string, RunRow>;
  steps: readonly StepFact[];
  executions: readonly Execution[];
  sent: readonly SentRun[];
  /** By the names of their definitions. */
  shapes: ReadonlyMap<string, Shape>;
  faults: readonly FaultRecord[];
  sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** Callers' looks at runs: answered, and with 503 or no answer. */
  reads: Watch["counts"];
  executionsOf: Ledger["executions"];
  client: Client;
  findings: Findings;
}

export async function readRuns(db: Database): Promise<Map<string, RunRow>> {
  const rows = await db.$queryRaw<RunRow[]>`
    SELECT id, workflow_name AS "workflowName", status, input ->> 'load_id' AS "loadId",
           dispatched_at IS NOT NULL AS "isDispatched",
           (extract(epoch FROM confirmed_at) * 1000)::float8 AS "confirmedAt"
      FROM workflow_runs`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** @param of - name of the definition whose runs' steps are read; all when left out */
export async function readSteps(db: Database, of: string | null = null): Promise<StepFact[]> {
  return await db.$queryRaw<StepFact[]>`
    SELECT step.run_id AS "runId", step.step_key AS key, step.status, step.attempt,
           (extract(epoch FROM step.created_at) * 1000)::float8 AS "createdAt",
           (extract(epoch FROM step.updated_at) * 1000)::float8 AS "updatedAt"
      FROM workflow_run_steps AS step
      JOIN workflow_runs AS run ON run.id = step.run_id AND run.generation = step.generation
     WHERE ${of}::text IS NULL OR run.workflow_name = ${of}::text
     ORDER BY step.run_id, step.ordinal`;
}

/** Without the batches of large fan-outs, which are runs only to Temporal. */
export async function listExecutions(client: Client): Promise<Execution[]> {
  const executions: Execution[] = [];
  for await (const { workflowId, runId, startTime, closeTime } of client.workflow.list({
    query: `WorkflowId STARTS_WITH "cbwr_"`,
    pageSize: 500,
  })) {
    if (workflowId.includes("/")) continue;
    executions.push({
      runId: workflowId,
      temporalRunId: runId,
      firstTemporalRunId: runId,
      startedAt: startTime.getTime(),
      closedAt: closeTime?.getTime() ?? null,
    });
  }
  // Temporal's list does not say which chain an execution belongs to.
  for (const chain of groupBy(executions, ({ runId }) => runId).values()) {
    if (chain.length === 1) continue;
    for (const execution of chain) {
      execution.firstTemporalRunId = await findFirstOfChain(client, execution);
    }
  }
  return executions;
}

async function findFirstOfChain(client: Client, execution: Execution): Promise<string> {
  const handle = client.workflow.getHandle(execution.runId, execution.temporalRunId);
  const first = (await handle.describe()).raw.workflowExecutionInfo?.firstRunId;
  if (first) return first;
  throw new Error(`Temporal does not say of which chain ${execution.temporalRunId} is`);
}

/** What operators did, or may have done, to each run. */
export function actsOf({ faults }: Pick<Facts, "faults">): Map<string, Act[]> {
  const all = faults.flatMap(({ fault, acts }) =>
    acts.map((act): Act => ({ ...act, kind: fault.kind })),
  );
  return groupBy(
    all.filter(({ outcome }) => outcome !== "refused"),
    ({ runId }) => runId,
  );
}

type Act = OperatorRecord & { kind: FaultKind };

/** Runs that an operator touched, directly or through a parent or child run. */
export function touchedRuns(facts: Facts): Set<string> {
  const families = groupBy(facts.runs.values(), ({ loadId }) => toFamily(loadId));
  const touched = [...actsOf(facts).keys()].flatMap((runId) => {
    const loadId = facts.runs.get(runId)?.loadId ?? null;
    return [runId, ...(families.get(toFamily(loadId)) ?? []).map(({ id }) => id)];
  });
  return new Set(touched);
}

/** A child run's load id is its parent's followed by `/child`. */
export function toFamily(loadId: string | null): string | null {
  return loadId?.split("/", 1)[0] ?? null;
}

/** Runs that an operator's act of a kind may have reached. */
export function runsReachedBy(act: "reset" | "terminate", facts: Facts): Set<string> {
  const acts = [...actsOf(facts).values()].flat();
  return new Set(acts.filter(({ kind }) => kind === act).map(({ runId }) => runId));
}
