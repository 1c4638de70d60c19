import { expect, test } from "vitest";
import { diffRun } from "./diff-run.ts";
import type { StepRow } from "./mirror-record.ts";
import type { Projection } from "./project-history.ts";
import type { RunRows, TableStep } from "./run-rows.ts";

const step: StepRow = {
  kind: "step",
  run_id: "run",
  id: "step",
  ordinal: 0,
  step_key: "a[1]",
  item_index: 1,
  component_id: "component",
  component_name: "A",
  action_type: "transform",
  status: "success",
  message: null,
  artifacts: "[]",
  output: "1",
  attempt: 1,
  started_at_ms: 11,
  finished_at_ms: 12,
  created_at_ms: 10,
  updated_at_ms: 13,
  temporal_run_id: "temporal",
  mirror_length: 5,
  mirror_time_ms: 13,
  mirror_seq: 2,
  digest: 7,
};
const projection: Projection = {
  workflowRunId: "run",
  temporalRunId: "temporal",
  historyLength: 9,
  steps: [step],
  end: null,
};
const { kind: _kind, ...columns } = step;
const tableStep: TableStep = { ...columns, generation: 1 };
const rows: RunRows = {
  workflowRunId: "run",
  temporalRunId: "temporal",
  generation: 1,
  status: "started",
  completedAtMs: null,
  errorCode: null,
  errorMessage: null,
  stepCount: null,
  stepsDigest: null,
  mirrorLength: 0,
  mirrorTimeMs: 0,
  mirrorSeq: 0,
  isDispatched: true,
  isConfirmed: false,
  steps: [tableStep],
};
const fieldsOf = (changed: Partial<RunRows>): string[] =>
  diffRun({ ...rows, ...changed }, projection).map(({ field }) => field);

test("rows that say what the history says differ in nothing", () => {
  expect(fieldsOf({})).toEqual([]);
});

const identity = new Set(["id", "run_id"]);
test.each(Object.keys(tableStep).filter((name) => !identity.has(name)))(
  "a step that differs in its %s differs in that alone",
  (name) => {
    expect(fieldsOf({ steps: [{ ...tableStep, [name]: "other" }] })).toEqual([
      `steps.a[1].${name}`,
    ]);
  },
);

test("a step that only one side has is one difference", () => {
  expect(fieldsOf({ steps: [] })).toEqual(["steps.a[1]"]);
  const another = { ...tableStep, id: "another", step_key: "b" };
  expect(fieldsOf({ steps: [tableStep, another] })).toEqual(["steps.b"]);
});
