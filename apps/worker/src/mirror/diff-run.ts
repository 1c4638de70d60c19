import type { StepRow } from "./mirror-record.ts";
import type { Projection } from "./project-history.ts";
import type { RunRows, TableStep } from "./run-rows.ts";

/** One place where the tables do not say what the history says. */
export interface Difference {
  /** A column of the run's row, `steps.<step key>`, or `steps.<step key>.<column>`. */
  field: string;
  table: unknown;
  history: unknown;
  /** Event of the history at which the workflow recorded, or would have recorded, this. */
  eventId: number;
}

/** All that a step's row says; `id` and `run_id` only identify it. The types notice if a new column is missing. */
const STEP_FIELDS = Object.keys({
  ordinal: true,
  step_key: true,
  item_index: true,
  component_id: true,
  component_name: true,
  action_type: true,
  status: true,
  message: true,
  artifacts: true,
  output: true,
  attempt: true,
  started_at_ms: true,
  finished_at_ms: true,
  created_at_ms: true,
  updated_at_ms: true,
  temporal_run_id: true,
  mirror_length: true,
  mirror_time_ms: true,
  mirror_seq: true,
  digest: true,
} satisfies Record<StepField, true>) as StepField[];

type StepField = Exclude<keyof StepRow, "kind" | "id" | "run_id">;

/** Compares a run's rows with its projection, and returns only what differs. */
export function diffRun(rows: RunRows, projection: Projection): Difference[] {
  return [...diffRunRow(rows, projection), ...diffSteps(rows, projection)];
}

/** The step rows that differ from the projection, or that it does not have at all. */
export function findWrongSteps(rows: RunRows, { steps }: Pick<Projection, "steps">): TableStep[] {
  const right = new Map(steps.map((step) => [step.id, step]));
  return rows.steps.filter((row) => {
    const step = right.get(row.id);
    return step === undefined || diffStep(row, step, rows.generation).length > 0;
  });
}

function diffRunRow(
  rows: RunRows,
  { temporalRunId, end, historyLength }: Projection,
): Difference[] {
  const eventId = end?.mirror_length ?? historyLength;
  const pairs: [string, unknown, unknown][] = [
    ["temporal_run_id", rows.temporalRunId, temporalRunId],
    ["status", rows.status, end?.status ?? "started"],
    ["completed_at_ms", rows.completedAtMs, end?.completed_at_ms ?? null],
    ["error_code", rows.errorCode, end?.error_code ?? null],
    ["error_message", rows.errorMessage, end?.error_message ?? null],
    ["step_count", rows.stepCount, end?.step_count ?? null],
    ["steps_digest", rows.stepsDigest, end?.steps_digest ?? null],
    ["mirror_length", rows.mirrorLength, end?.mirror_length ?? 0],
    ["mirror_time_ms", rows.mirrorTimeMs, end?.mirror_time_ms ?? 0],
    ["mirror_seq", rows.mirrorSeq, end?.mirror_seq ?? 0],
  ];
  return toDifferences(pairs, eventId);
}

function diffSteps(rows: RunRows, projection: Projection): Difference[] {
  const found = new Map(rows.steps.map((step) => [step.id, step]));
  const differences: Difference[] = [];
  for (const step of projection.steps) {
    const row = found.get(step.id);
    found.delete(step.id);
    differences.push(...diffStep(row, step, rows.generation));
  }
  for (const row of found.values()) {
    const field = `steps.${row.step_key}`;
    differences.push({ field, table: row.status, history: NOTHING, eventId: row.mirror_length });
  }
  return differences;
}

/** Shown for a step that only one side has. */
const NOTHING = "(no such step)";

function diffStep(row: TableStep | undefined, step: StepRow, generation: number): Difference[] {
  const field = `steps.${step.step_key}`;
  const eventId = step.mirror_length;
  if (row === undefined) return [{ field, table: NOTHING, history: step.status, eventId }];
  const pairs: [string, unknown, unknown][] = STEP_FIELDS.map((name) => [
    `${field}.${name}`,
    row[name],
    step[name],
  ]);
  // A row of an earlier generation is shown to nobody.
  return toDifferences([...pairs, [`${field}.generation`, row.generation, generation]], eventId);
}

function toDifferences(pairs: [string, unknown, unknown][], eventId: number): Difference[] {
  return pairs
    .filter(([, table, history]) => table !== history)
    .map(([field, table, history]) => ({ field, table, history, eventId }));
}
