import type { WorkflowDefinitionDocument } from "@truerun/shared/contracts/definition";
import { isTerminal, type RunStatus } from "@truerun/shared/contracts/statuses";
import { STUCK_FROM_ATTEMPT } from "@truerun/shared/stuck-run";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import { timeSchema } from "../http/parameters.ts";
import { type FoundRun, type RunSnapshot, takeSnapshot } from "./pending-snapshot.ts";
import { type PendingStepRow, type StepPending, toStepPending } from "./pending-step.ts";
import { isPolled } from "./pending-workers.ts";

/** How long Temporal may take to answer, all calls together. */
const TEMPORAL_WITHIN_MS = 1_500;

const STATES = [
  "running",
  "undispatched",
  "no_worker",
  "stuck",
  "paused",
  "canceling",
  "recording",
  "unknown",
] as const;

const stateSchema = z.enum(STATES).meta({
  description: [
    "`running`: nothing stands in its way; the steps say what it waits for",
    "`undispatched`: Temporal has not taken it yet; the service tries again about every second",
    "`no_worker`: no worker takes work from its task queue: all are down",
    "`stuck`: its workflow task fails again and again; `last_failure` says why",
    "`paused`: an operator has paused it in Temporal",
    "`canceling`: it was asked to stop",
    "`recording`: it has ended, and that is on its way into the tables",
    "`unknown`: Temporal did not answer, or does not have the run any more",
  ].join("; "),
});

/** Only with include=pending: the current state in Temporal of a run that has not ended. */
export const runPendingSchema = z
  .strictObject({
    state: stateSchema,
    message: z.string().meta({ description: "The same for people, in one sentence" }),
    since: timeSchema("Since when it is so").nullable(),
    attempt: z
      .int()
      .nullable()
      .meta({ description: "Of the workflow task that waits or runs, when there is one" }),
    last_failure: z.string().nullable().meta({ description: "Why a stuck run's task failed" }),
  })
  .meta({ id: "PendingRun" });

type RunPending = z.output<typeof runPendingSchema>;

/** The columns of a run's row that say why it is pending. */
interface PendingRunRow {
  id: string;
  status: RunStatus;
  started_at: number;
  dispatched: boolean;
  /** JSON text of the definition's version. */
  document: string | null;
  steps: readonly PendingStepRow[];
}

/** Why a run and its steps have not ended. */
export interface Pending {
  /** null for a run that has ended */
  run: RunPending | null;
  step(step: PendingStepRow): StepPending | null;
}

/** Asks Temporal, unless everything has ended. Never rejects, whatever Temporal says or fails to say. */
export async function readPending(
  services: Pick<EndpointServices, "client" | "logger">,
  run: PendingRunRow,
): Promise<Pending> {
  const isOpen = !isTerminal(run.status);
  if (!isOpen && run.steps.every(({ status }) => status !== null)) {
    return { run: null, step: () => null };
  }
  const snapshot = await ask(services, run.id);
  const context = {
    snapshot,
    document: JSON.parse(run.document ?? NO_DOCUMENT) as WorkflowDefinitionDocument,
    now: Date.now() / 1_000,
  };
  return {
    run: isOpen ? toRunPending(run, snapshot, context.now) : null,
    step: (step) => toStepPending(step, context),
  };
}

const NO_DOCUMENT = '{"components":[]}';

async function ask(
  { client, logger }: Pick<EndpointServices, "client" | "logger">,
  workflowRunId: string,
): Promise<RunSnapshot> {
  try {
    return await withTemporalDeadline(client.connection, TEMPORAL_WITHIN_MS, () =>
      takeSnapshot(client, workflowRunId),
    );
  } catch (error) {
    logger.warn({ err: error, workflowRunId }, "Temporal did not say why a run is pending");
    return { kind: "silent" };
  }
}

function toRunPending(run: PendingRunRow, snapshot: RunSnapshot, now: number): RunPending {
  switch (snapshot.kind) {
    case "found":
      return toFoundPending(snapshot, now);
    case "unknown":
      if (!run.dispatched) return toUndispatched(run, "Temporal has not taken the run yet.");
      return say("unknown", "Temporal does not have the run any more.");
    case "silent":
      if (!run.dispatched) {
        return toUndispatched(run, "Temporal did not answer, and is not known to have the run.");
      }
      return say("unknown", "Temporal did not answer in time.");
  }
}

function toUndispatched({ started_at }: PendingRunRow, message: string): RunPending {
  return say("undispatched", message, { since: started_at });
}

function toFoundPending(found: FoundRun, now: number): RunPending {
  const { workflowTask: task, workflowsPolledAt: polledAt, taskQueue } = found;
  const attempt = task?.attempt ?? null;
  const since = task?.since == null ? null : Math.floor(task.since);
  const dueAt = task === null || task.isStarted ? null : task.dueAt;
  if (found.isClosed) return say("recording", "The run has ended and is about to show it.");
  if (found.isPaused) return say("paused", "Paused in Temporal; it goes on when unpaused there.");
  if (attempt !== null && attempt >= STUCK_FROM_ATTEMPT) {
    const message = `The run's workflow task fails again and again: attempt ${attempt}.`;
    return say("stuck", message, { since, attempt, last_failure: task?.lastFailure ?? null });
  }
  if (!isPolled({ polledAt, dueAt, now })) {
    const message = `No worker takes work from task queue '${taskQueue}'.`;
    return say("no_worker", message, { since, attempt });
  }
  if (found.isCanceling) return say("canceling", "The run was asked to stop.", { attempt });
  return say("running", "Nothing stands in the run's way.", { attempt });
}

function say(
  state: RunPending["state"],
  message: string,
  facts: Partial<Omit<RunPending, "state" | "message">> = {},
): RunPending {
  return { state, message, since: null, attempt: null, last_failure: null, ...facts };
}
