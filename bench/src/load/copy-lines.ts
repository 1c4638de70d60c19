// Rows in the text format of COPY.
import { randomBytes } from "node:crypto";
import type { PlannedRun } from "./planned-runs.ts";

export const RUN_COPY = `COPY workflow_runs (id, org_id, definition_id, definition_version, workflow_name,
  status, started_at, completed_at, input, request_hash, error_code, error_message, dispatched_at,
  temporal_run_id, mirror_length, step_count, steps_digest, confirmed_at) FROM STDIN`;

export const STEP_COPY = `COPY workflow_run_steps (id, run_id, ordinal, step_key, component_id, component_name,
  action_type, status, artifacts, output, attempt, started_at_ms, finished_at_ms, created_at, updated_at,
  temporal_run_id, generation, mirror_length, mirror_time_ms, mirror_seq, digest) FROM STDIN`;

const NULL = "\\N";

/** Where a planned run belongs. */
export interface RunPlace {
  orgId: string;
  definitionId: string;
  name: string;
}

export function toRunLine(run: PlannedRun, place: RunPlace, id: string): string {
  const hasEnded = run.status !== "started";
  const startedAt = toTime(run.startedAtUs);
  const endedAt = toTime(run.startedAtUs + run.durationMs * 1_000);
  return toLine([
    id,
    place.orgId,
    place.definitionId,
    1,
    place.name,
    run.status,
    startedAt,
    hasEnded ? endedAt : NULL,
    `{"vendor_filter":{"tags":["processes_pii"]},"due_date":"2026-06-30","n":${run.durationMs}}`,
    `\\\\x${randomBytes(32).toString("hex")}`,
    run.status === "failed" ? "component_failed" : NULL,
    run.status === "failed" ? "The component 'send' failed: The server answered 500" : NULL,
    startedAt,
    randomBytes(16).toString("hex"),
    20,
    run.steps,
    0,
    // Open runs too, which no other code does: the reconciler would otherwise look for them in Temporal, and end
    // them. The audit still finds that Temporal does not have them.
    hasEnded ? endedAt : startedAt,
  ]);
}

export function toStepLine(run: PlannedRun, runId: string, ordinal: number): string {
  const spanMs = Math.floor(run.durationMs / run.steps);
  const fromMs = Math.floor(run.startedAtUs / 1_000) + spanMs * (ordinal - 1);
  const hex = randomBytes(16).toString("hex");
  return toLine([
    `cbwrs_${hex}`,
    runId,
    ordinal,
    `step_${ordinal}`,
    `cbwc_${hex}`,
    `Step ${ordinal}`,
    "transform",
    "success",
    `[{"artifact_type":"vendor","id":"cbvndr_${hex}","role":"trigger"}]`,
    `{"count":${ordinal}}`,
    1,
    fromMs,
    fromMs + spanMs,
    toTime(fromMs * 1_000),
    toTime((fromMs + spanMs) * 1_000),
    "t",
    0,
    ordinal,
    fromMs,
    0,
    0,
  ]);
}

/** An id as if made at the run's start. */
export function toRunId(run: PlannedRun): string {
  const time = Math.floor(run.startedAtUs / 1_000)
    .toString(16)
    .padStart(12, "0");
  const random = randomBytes(10).toString("hex");
  return `cbwr_${time}7${random.slice(0, 3)}8${random.slice(3, 18)}`;
}

function toTime(us: number): string {
  const fraction = String(us % 1_000_000).padStart(6, "0");
  return `${new Date(Math.floor(us / 1_000_000) * 1_000).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** No value contains an unintended tab, newline or backslash. */
function toLine(values: readonly (string | number)[]): string {
  return `${values.join("\t")}\n`;
}
