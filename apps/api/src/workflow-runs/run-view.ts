import {
  ARTIFACT_ROLES,
  type Artifact,
  RUN_ERROR_CODES,
  RUN_STATUSES,
  type RunStatus,
  STEP_STATUSES,
} from "@truerun/shared/contracts/statuses";
import { z } from "zod";
import { idSchema, timeSchema } from "../http/parameters.ts";
import { runPendingSchema } from "./pending-run.ts";
import { type StepPending, stepPendingSchema } from "./pending-step.ts";

// Maps columns to keys of the API. The order of keys is part of the contract.

const runStatusSchema = z.enum(RUN_STATUSES).meta({ description: "State of the run" });
const jsonObject = z.record(z.string(), z.unknown());

/** What starting a run answers. */
export const startedRunSchema = z
  .strictObject({
    workflow_run_id: idSchema("cbwr", "The run"),
    workflow_name: z.string(),
    status: z.literal("started"),
    started_at: timeSchema("When the run was created"),
    input: jsonObject.meta({ description: "The input, as it was sent" }),
  })
  .meta({ id: "StartedWorkflowRun" });

/** The first answer of a run, always the same bytes: the input is the text that was sent. */
export function toStartedRunText(run: {
  id: string;
  workflowName: string;
  startedAt: number;
  inputText: string;
}): string {
  const head = JSON.stringify({
    workflow_run_id: run.id,
    workflow_name: run.workflowName,
    status: "started",
    started_at: run.startedAt,
  });
  return withMember(head, "input", run.inputText);
}

/** Adds a member of exact text at the end of an object's JSON. */
export function withMember(objectText: string, name: string, valueText: string): string {
  return `${objectText.slice(0, -1)},${JSON.stringify(name)}:${valueText}}`;
}

const artifactSchema = z
  .strictObject({
    artifact_type: z.string(),
    id: z.string(),
    role: z.enum(ARTIFACT_ROLES),
  })
  .meta({ id: "Artifact", description: "What a step consumed, created or changed" });

const stepDetailsSchema = z
  .strictObject({
    attempt: z.int().nullable(),
    output: z.unknown(),
    started_at_ms: z.int().nullable(),
    finished_at_ms: z.int().nullable(),
    key: z.string(),
    item_index: z.int().nullable(),
  })
  .meta({ id: "WorkflowRunStepDetails", description: "Only with include=details" });

const stepSchema = z
  .strictObject({
    step_id: idSchema("cbwrs", "The step"),
    component_id: idSchema("cbwc", "The component"),
    component_name: z.string(),
    action_type: z.string(),
    status: z
      .enum(STEP_STATUSES)
      .nullable()
      .meta({ description: "null while no result is recorded" }),
    message: z
      .string()
      .nullable()
      .meta({ description: "The error when failed, the reason when skipped" }),
    artifacts: z.array(artifactSchema),
    created_at: timeSchema("When the step was recorded"),
    updated_at: timeSchema("When the step was last recorded"),
    details: stepDetailsSchema.optional(),
    pending: stepPendingSchema
      .nullable()
      .optional()
      .meta({ description: "Only with include=pending: why it has no result; null when it has" }),
  })
  .meta({ id: "WorkflowRunStep" });

const runHead = {
  workflow_run_id: idSchema("cbwr", "The run"),
  workflow_name: z
    .string()
    .nullable()
    .meta({ description: "null when the definition was deleted" }),
  workflow_definition_id: idSchema("cbwd", "The workflow definition"),
  status: runStatusSchema,
  started_at: timeSchema("When the run was created"),
  completed_at: timeSchema("When the run ended").nullable(),
};

/** What get-run answers. */
export const workflowRunSchema = z
  .strictObject({
    ...runHead,
    steps: z.array(stepSchema).meta({ description: "In the order in which they were recorded" }),
    input: jsonObject.optional().meta({ description: "Only with include=input" }),
    error: z
      .strictObject({ code: z.enum(RUN_ERROR_CODES), message: z.string() })
      .nullable()
      .optional()
      .meta({ description: "Only with include=error: why a run failed or was canceled" }),
    pending: runPendingSchema
      .nullable()
      .optional()
      .meta({ description: "Only with include=pending: how it stands; null once it has ended" }),
  })
  .meta({ id: "WorkflowRun" });

/** One entry of the list of runs. */
export const workflowRunEntrySchema = z
  .strictObject({ ...runHead, step_count: z.int().nonnegative() })
  .meta({ id: "WorkflowRunEntry" });

/** The columns of a run that its views share; times are floored unix seconds. */
export interface RunRow {
  id: string;
  workflow_name: string | null;
  definition_id: string;
  status: RunStatus;
  started_at: number;
  completed_at: number | null;
}

/** A step as the statement of a read makes it, as JSON; times are floored unix seconds. */
export interface ReadStep {
  id: string;
  step_key: string;
  component_id: string;
  component_name: string;
  action_type: string;
  status: string | null;
  message: string | null;
  artifacts: Artifact[];
  created_at: number;
  updated_at: number;
  details?: {
    attempt: number | null;
    /** JSON text: outputs may be large, and are passed on as they are stored. */
    output: string | null;
    started_at_ms: number | null;
    finished_at_ms: number | null;
    item_index: number | null;
  };
}

export function toRunView(row: RunRow) {
  return {
    workflow_run_id: row.id,
    workflow_name: row.workflow_name,
    workflow_definition_id: row.definition_id,
    status: row.status,
    started_at: row.started_at,
    completed_at: row.completed_at,
  };
}

export function toRunEntryView(row: RunRow & { step_count: number }) {
  return { ...toRunView(row), step_count: row.step_count };
}

/** @param pending - if it was asked for: why the step has no result, null if it has one */
export function toStepText(row: ReadStep, pending?: StepPending | null): string {
  let text = JSON.stringify({
    step_id: row.id,
    component_id: row.component_id,
    component_name: row.component_name,
    action_type: row.action_type,
    status: row.status,
    message: row.message,
    artifacts: row.artifacts.map(({ artifact_type, id, role }) => ({ artifact_type, id, role })),
    created_at: row.created_at,
    updated_at: row.updated_at,
  });
  if (row.details !== undefined) {
    text = withMember(text, "details", toDetailsText(row.step_key, row.details));
  }
  return pending === undefined ? text : withMember(text, "pending", JSON.stringify(pending));
}

function toDetailsText(key: string, details: NonNullable<ReadStep["details"]>): string {
  const { attempt, output, started_at_ms, finished_at_ms, item_index } = details;
  const rest = JSON.stringify({ started_at_ms, finished_at_ms, key, item_index });
  return `{"attempt":${attempt},"output":${output},${rest.slice(1)}`;
}
