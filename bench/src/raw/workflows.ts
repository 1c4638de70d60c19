import { proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type * as activities from "./activities.ts";

const { step } = proxyActivities<typeof activities>({ startToCloseTimeout: "30s" });
const local = proxyLocalActivities<typeof activities>({ startToCloseTimeout: "30s" });

/** Three steps, one after the other. */
export async function threeSteps(input: { value: number }): Promise<number> {
  return await step(await step(await step(input.value)));
}

/** The same as local activities. */
export async function threeLocalSteps(input: { value: number }): Promise<number> {
  return await local.step(await local.step(await local.step(input.value)));
}
