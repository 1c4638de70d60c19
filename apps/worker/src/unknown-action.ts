import { Context, type Info } from "@temporalio/activity";
import type { Client } from "@temporalio/client";
import { ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { notLocal } from "./component-activity.ts";

export interface UnknownActionDependencies {
  db: Database;
  client: Client;
  logger: Logger;
}

/** Until the next attempt, which any worker of the task queue may get. */
const NEXT_ATTEMPT_AFTER = "1s";

/**
 * Stands in for every action that this worker does not have. While the catalogue has the action, another worker does,
 * as when a release is rolled out: the attempt is for that one, so it is handed on and does not count. What is not in
 * the catalogue either fails for good, with the SDK's own message.
 *
 * Inside a workflow task the SDK would fail the task, again and again; such a step is made to run outside of it.
 */
export function createUnknownAction(dependencies: UnknownActionDependencies): () => Promise<never> {
  const { logger } = dependencies;
  const noted = new Set<string>();
  return async () => {
    const { info } = Context.current();
    const { activityType: action } = info;
    if (info.isLocal) throw notLocal("This worker does not know the action");
    if (!(await mayBeKnown(dependencies, action))) {
      throw ApplicationFailure.nonRetryable(
        `Activity function ${action} is not registered on this Worker`,
        "NotFoundError",
      );
    }
    if (!noted.has(action)) {
      logger.warn({ action }, "this worker does not know an action that is in the catalogue");
    }
    noted.add(action);
    await giveBackAttempt(dependencies, info);
    throw ApplicationFailure.create({
      message: "The attempt came to a worker that does not know the action; another one does.",
      type: "UnknownToThisWorker",
      nextRetryDelay: NEXT_ATTEMPT_AFTER,
      category: ApplicationFailureCategory.BENIGN,
    });
  };
}

/** When the database does not answer, the next attempt finds out. */
async function mayBeKnown(
  { db, logger }: UnknownActionDependencies,
  actionType: string,
): Promise<boolean> {
  try {
    return (await db.componentType.count({ where: { actionType } })) > 0;
  } catch (error) {
    logger.warn({ err: error, action: actionType }, "the catalogue could not be read");
    return true;
  }
}

/**
 * Gives the step one attempt more than it has, for the one that is lost. Temporal counts attempts itself, and lets
 * nobody take one back. Where that fails, because a server does not have the call, the attempt is used up.
 */
async function giveBackAttempt(
  { client, logger }: UnknownActionDependencies,
  { activityId: id, activityType, workflowExecution, workflowNamespace, retryPolicy }: Info,
): Promise<void> {
  const attempts = retryPolicy?.maximumAttempts ?? 0;
  if (attempts === 0 || workflowExecution === undefined) return;
  try {
    await client.workflowService.updateActivityOptions({
      namespace: workflowNamespace ?? client.options.namespace,
      execution: workflowExecution,
      id,
      activityOptions: { retryPolicy: { maximumAttempts: attempts + 1 } },
      updateMask: { paths: ["retry_policy.maximum_attempts"] },
    });
  } catch (error) {
    logger.warn({ err: error, action: activityType }, "an attempt could not be given back");
  }
}
