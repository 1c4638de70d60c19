// For tests only.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { ANSWER_REVIEW } from "@truerun/shared/contracts/review";
import type { Shape } from "./shape.ts";
import type { WorkerRig } from "./worker-rig.ts";

/** Starts a run of the shape, and does to it what the shape's operator does. */
export async function startShape(rig: WorkerRig, shape: Shape): Promise<string> {
  const { name, operator, input, timeout, others = {} } = shape;
  const id = await rig.startRun({
    name,
    components: shape.components(),
    others: Object.fromEntries(
      Object.entries(others).map(([other, components]) => [other, { components: components() }]),
    ),
    ...(input === undefined ? {} : { input }),
    ...(timeout === undefined ? {} : { timeout }),
  });
  if (operator === undefined) return id;
  const handle = rig.client.workflow.getHandle(id);
  // A row is written just before its task completes: the operator has to wait until Temporal has it too.
  await waitFor(`${operator.afterSteps} steps of ${id}`, async () => {
    const { raw } = await handle.describe();
    const isAtRest = raw.pendingWorkflowTask == null;
    if (!isAtRest || (await rig.getRun(id)).steps.length < operator.afterSteps) return false;
    // A child run whose parent ends before it begins never begins: another shape than the one meant.
    const begun = { parentRunId: id, temporalRunId: { not: null } };
    return (await rig.db.workflowRun.count({ where: begun })) === Object.keys(others).length;
  });
  if (operator.action === "answer") {
    await handle.executeUpdate(ANSWER_REVIEW, { args: [operator.answer] });
  } else {
    await handle[operator.action]();
  }
  return id;
}
