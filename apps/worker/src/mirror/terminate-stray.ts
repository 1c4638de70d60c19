import { pause } from "@truerun/shared/pause";
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import type { Logger } from "@truerun/shared/logger";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import type { RefusedRun } from "./mirror-statement.ts";

export interface StrayTerminator {
  /** Resolves when the stray is closed in Temporal, or after a while. Never rejects. */
  terminate(stray: RefusedRun): Promise<void>;
}

export interface StrayTerminatorOptions {
  client: Client;
  logger: Logger;
  /**
   * How long to try. More than the 10 s that Temporal gives a workflow task: by then what the stray has
   * decided is refused, and its next task comes here again.
   */
  patienceMs?: number;
}

const REASON =
  "The run had ended before Temporal took its start: it was canceled, expired or rejected without being dispatched.";
const CALL_MS = 2_000;
const RETRY_MS = 500;

/**
 * A stray is a Temporal run of a run that ended without ever having one: a start that was given up but
 * executed all the same, by a Temporal that was frozen or behind a slow network. The caller has been told
 * that the run ended, so nothing of it may run. Until the terminator resolves, the activation that revealed
 * the stray is held, and none of its commands are sent.
 */
export function createStrayTerminator(options: StrayTerminatorOptions): StrayTerminator {
  const underWay = new Map<string, Promise<void>>();
  return {
    terminate(stray) {
      const key = stray.temporal_run_id;
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const done = terminate(options, stray).finally(() => underWay.delete(key));
      underWay.set(key, done);
      return done;
    },
  };
}

async function terminate(
  { client, logger, patienceMs = 20_000 }: StrayTerminatorOptions,
  { run_id, temporal_run_id }: RefusedRun,
): Promise<void> {
  const about = { workflowRunId: run_id, temporalRunId: temporal_run_id };
  const handle = client.workflow.getHandle(run_id, temporal_run_id);
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      await withTemporalDeadline(client.connection, CALL_MS, () => handle.terminate(REASON));
      logger.warn(about, "terminated a start that came after its run's end");
      return;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return;
      if (Date.now() > end) {
        const message =
          "a start that came after its run's end was not terminated; its next record tries again";
        logger.error({ err: error, ...about }, message);
        return;
      }
    }
    await pause(RETRY_MS);
  }
}
