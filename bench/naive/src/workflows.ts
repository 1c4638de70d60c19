import { proxyActivities } from "@temporalio/workflow";
import type { Activities } from "./activities.ts";

const { runStep, finishRun } = proxyActivities<Activities>({
  startToCloseTimeout: "30s",
  retry: { maximumAttempts: 3 },
});

const STEPS = ["first", "second", "third"];

export async function threeSteps(runId: string, input: { value: number }): Promise<void> {
  try {
    let value = input.value;
    for (const name of STEPS) value = await runStep({ runId, name, value });
  } catch (error) {
    await finishRun({ runId, status: "failed" });
    throw error;
  }
  await finishRun({ runId, status: "completed" });
}
