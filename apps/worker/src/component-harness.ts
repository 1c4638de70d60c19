// For tests only: nothing that runs in production imports it.
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Info } from "@temporalio/activity";
import { MockActivityEnvironment } from "@temporalio/testing";
import { ApplicationFailure } from "@temporalio/common";
import { DefaultLogger } from "@temporalio/worker";
import { createLogger } from "@truerun/shared/logger";
import type { Component } from "./component.ts";
import { type ResultEnvelope, toActivity } from "./component-activity.ts";
import type { ComponentsConfig } from "./components-config.ts";

/** An environment like that of step `step` of run `cbwr_test`. */
export function createEnvironment(info: Partial<Info> = {}): MockActivityEnvironment {
  return new MockActivityEnvironment(
    {
      activityId: "step",
      workflowExecution: { workflowId: "cbwr_test", runId: "temporal-run" },
      ...info,
    },
    { logger: new DefaultLogger("ERROR") },
  );
}

/** Runs one attempt of a component as the worker would. */
export function runComponent(
  component: Component,
  args: unknown,
  options: { config?: Partial<ComponentsConfig>; environment?: MockActivityEnvironment } = {},
): Promise<ResultEnvelope> {
  const activity = toActivity(component, {
    logger: createLogger({ name: "test", level: "silent" }),
    config: {
      allowedPrivateHosts: [],
      vendorsFile: join(tmpdir(), "no-such-vendors.json"),
      outboxDir: join(tmpdir(), "no-such-outbox"),
      webhookSecrets: new Map(),
      smtpServer: null,
      emailFrom: null,
      ...options.config,
    },
  });
  return (options.environment ?? createEnvironment()).run(activity, args);
}

/** The failure of an attempt that must fail; anything else that it does is thrown. */
export async function failureOf(work: Promise<ResultEnvelope>): Promise<ApplicationFailure> {
  const error: unknown = await work.then(
    ({ output }) => new Error(`it succeeded with ${JSON.stringify(output)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}
