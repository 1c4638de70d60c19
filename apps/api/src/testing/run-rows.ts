import { randomUUID } from "node:crypto";
import { newId } from "@truerun/shared/ids";
import { expect } from "vitest";
import { echo } from "./test-gateway.ts";
import type { TestRig } from "./test-rig.ts";

export interface TestDefinition {
  name: string;
  definitionId: string;
}

/** A new definition: of the test's own and of the rig's first org, unless told otherwise. */
export async function defineWorkflow(
  { gateways, org }: TestRig,
  { name = `w-${randomUUID()}`, key = org.key } = {},
): Promise<TestDefinition> {
  const path = `/v1/workflows/${encodeURIComponent(name)}`;
  const saved = await gateways[0].send("PUT", path, { key, body: echo() });
  expect(saved.status, saved.text).toBe(201);
  return { name, definitionId: String(saved.json["workflow_definition_id"]) };
}

interface NewRun {
  startedAt?: Date;
  status?: string;
  completedAt?: Date;
  errorCode?: string;
  errorMessage?: string;
  generation?: number;
  dispatchedAt?: Date | null;
  parentRunId?: string;
}

/** A row as the gateway and the mirror would leave it. */
export async function insertRun(rig: TestRig, definition: TestDefinition, run: NewRun = {}) {
  const id = newId("cbwr");
  await rig.db.workflowRun.create({
    data: {
      id,
      orgId: rig.org.orgId,
      definitionId: definition.definitionId,
      definitionVersion: 1,
      workflowName: definition.name,
      input: { n: 1 },
      requestHash: new Uint8Array(32),
      dispatchedAt: new Date(),
      ...run,
    },
  });
  return id;
}

export async function insertStep(
  rig: TestRig,
  runId: string,
  step: {
    ordinal: number;
    status: string | null;
    generation?: number;
    stepKey?: string;
    actionType?: string;
    componentId?: string;
    createdAt?: Date;
    output?: string;
  },
) {
  const id = `cbwrs_${randomUUID().replaceAll("-", "")}`;
  await rig.db.workflowRunStep.create({
    data: {
      id,
      runId,
      generation: 0,
      stepKey: `step_${step.ordinal}`,
      componentId: newId("cbwc"),
      componentName: "Send questionnaire",
      actionType: "send_questionnaire",
      message: step.status === "failed" ? "it broke" : null,
      artifacts: [{ role: "result", id: "x1", artifact_type: "vendor" }],
      output: { a: [1, "\u0000"] },
      attempt: 2,
      startedAtMs: 1_746_576_540_123n,
      finishedAtMs: 1_746_576_541_456n,
      createdAt: new Date("2025-05-07T00:09:00.999Z"),
      updatedAt: new Date("2025-05-07T00:10:00.001Z"),
      temporalRunId: "t",
      mirrorLength: 1,
      mirrorTimeMs: 1n,
      mirrorSeq: 1,
      digest: 1n,
      ...step,
    },
  });
  return id;
}
