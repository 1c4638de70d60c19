import { proxyActivities } from "@temporalio/workflow";
import type * as activities from "./activities.ts";

const { step } = proxyActivities<typeof activities>({ startToCloseTimeout: "30s" });

/** Three steps, one after the other. */
export async function threeSteps(input: { value: number }): Promise<number> {
  return await step(await step(await step(input.value)));
}
