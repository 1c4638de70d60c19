// (3) The interpreter: the reducer decides what is next, this shell lets Temporal do it.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { durationMs } from "@truerun/shared/contracts/duration";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import { advance, type RunOutcome, type StepState } from "@truerun/shared/engine/advance";
import { isEngineAction } from "@truerun/shared/engine/engine-actions";
import { compileDefinition } from "@truerun/shared/engine/compile-definition";
import { clipUtf8, utf8Bytes } from "@truerun/shared/storable-text";
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  proxyActivities,
} from "@temporalio/workflow";
import type { ResultEnvelope } from "../component-activity.ts";
import { toFailure, toSuccess } from "./activity-outcome.ts";
import { runEngineAction } from "./engine-action.ts";
import { FAILURE_TYPES } from "./failure-types.ts";
import { engineOutcome, type StepOutcome, type StepRecorder } from "./step-recorder.ts";

/** A resolved `with` may have so many bytes; more belongs into a store, by reference. */
const MAX_WITH_BYTES = 1024 * 1024;
/** What one workflow task may schedule together: Temporal terminates a run whose task is too large. */
const MAX_SCHEDULED_BYTES = 2 * 1024 * 1024;
/** A worker that is gone is noticed this soon; component activities heartbeat every two seconds. */
const HEARTBEAT_TIMEOUT_MS = 10_000;
/** How long a canceled component may clean up before the run ends without its answer. */
const CANCEL_GRACE_MS = 10_000;
/** The server takes 400 bytes, quotes and escapes included. */
const MAX_SUMMARY_BYTES = 180;

/** What Temporal shows as the run's result. */
export interface RunResult {
  /** Status of each step by its key. */
  steps: Record<string, string>;
}

/**
 * Runs one workflow definition to its end.
 *
 * @throws ApplicationFailure of a type of {@link FAILURE_TYPES} when a failure ends the run
 * @throws CancelledFailure when the run was canceled
 */
export async function interpretRun(
  event: RunRequestedEvent,
  recorder: StepRecorder,
): Promise<RunResult> {
  return await new Interpreter(event, recorder).run();
}

/** Nothing else than what the history says is kept here: on replay it comes out the same. */
class Interpreter {
  readonly #event: RunRequestedEvent;
  readonly #recorder: StepRecorder;
  readonly #states = new Map<string, StepState>();
  readonly #activities = new CancellationScope({ cancellable: true });
  #settled = 0;
  #canceled = false;

  constructor(event: RunRequestedEvent, recorder: StepRecorder) {
    this.#event = event;
    this.#recorder = recorder;
  }

  async run(): Promise<RunResult> {
    const root = CancellationScope.current();
    // The loop itself is not canceled: it records what cancellation does to the steps.
    return await CancellationScope.nonCancellable(async () => {
      root.cancelRequested.catch(() => {
        this.#canceled = true;
      });
      return await this.#drive();
    });
  }

  async #drive(): Promise<RunResult> {
    const { data } = this.#event;
    const definition = compileDefinition(data.definition);
    const scope = {
      input: data.input,
      run: {
        id: data.workflow_run_id,
        workflow_name: data.workflow_name,
        started_at: data.started_at,
      },
    };
    for (;;) {
      if (this.#canceled) await this.#endCanceled();
      const decision = advance(definition, scope, this.#states);
      for (const { component, message } of decision.skipped) {
        this.#states.set(component.key, { status: "skipped" });
        this.#recorder.close(component.key, engineOutcome("skipped", message));
      }
      if (decision.outcome?.status === "failed") await this.#endFailed(decision.outcome);
      if (decision.outcome?.status === "completed") return this.#result();
      const seen = this.#settled;
      this.#startAll(decision.ready);
      await condition(() => this.#settled > seen || this.#canceled);
    }
  }

  #startAll(ready: readonly { component: ComponentDefinition; with: JsonObject }[]): void {
    let scheduledBytes = 0;
    for (const { component, with: input } of ready) {
      const bytes = utf8Bytes(JSON.stringify(input));
      scheduledBytes += bytes;
      const excess = explainExcess(bytes, scheduledBytes);
      if (excess === null) {
        this.#start(component, input);
      } else {
        this.#recorder.close(component.key, engineOutcome("failed", excess));
        this.#settle(component.key, { status: "failed", message: excess });
        scheduledBytes -= bytes;
      }
    }
  }

  #start(component: ComponentDefinition, input: JsonObject): void {
    const { key, action } = component;
    this.#states.set(key, { status: "running" });
    const summary = clipUtf8(component.name, MAX_SUMMARY_BYTES);
    void this.#activities
      .run(() =>
        isEngineAction(action)
          ? runEngineAction(component, { action, input, summary }, this.#recorder)
          : runActivity(component, { input, summary }, this.#recorder),
      )
      .then(({ status, output, message }) => {
        const isSuccess = status === "success";
        this.#settle(
          key,
          isSuccess ? { status, output } : { status: "failed", message: message ?? "" },
        );
      });
  }

  #settle(key: string, state: StepState): void {
    this.#states.set(key, state);
    this.#settled++;
  }

  #isRunning(): boolean {
    return [...this.#states.values()].some(({ status }) => status === "running");
  }

  async #endFailed({ code, message }: Extract<RunOutcome, { status: "failed" }>): Promise<never> {
    await this.#cancelRunning(`Canceled because the run failed: ${message}`);
    throw ApplicationFailure.nonRetryable(message, FAILURE_TYPES[code]);
  }

  async #endCanceled(): Promise<never> {
    await this.#cancelRunning("The run was canceled.");
    throw new CancelledFailure("The run was canceled.");
  }

  async #cancelRunning(reason: string): Promise<void> {
    this.#recorder.cancelReason = reason;
    if (!this.#isRunning()) return;
    this.#activities.cancel();
    await condition(() => !this.#isRunning(), CANCEL_GRACE_MS);
    this.#recorder.interrupt(
      `${reason} (The component did not answer within ${CANCEL_GRACE_MS / 1_000} s.)`,
    );
  }

  #result(): RunResult {
    const steps = [...this.#states].map(([key, state]): [string, string] => [key, state.status]);
    return { steps: Object.fromEntries(steps) };
  }
}

/** The outcome as the interceptor has recorded it: it sees what comes back before the interpreter does. */
async function runActivity(
  component: ComponentDefinition,
  { input, summary }: { input: JsonObject; summary: string },
  recorder: StepRecorder,
): Promise<StepOutcome> {
  try {
    return toSuccess(await executeActivity(component, input, summary));
  } catch (error) {
    return toFailure(error, recorder.cancelReason);
  }
}

async function executeActivity(
  component: ComponentDefinition,
  input: JsonObject,
  summary: string,
): Promise<ResultEnvelope> {
  const { retry } = component;
  const activities = proxyActivities<
    Record<string, (input: JsonObject) => Promise<ResultEnvelope>>
  >({
    activityId: component.key,
    summary,
    startToCloseTimeout: durationMs(component.timeout),
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      maximumAttempts: retry.max_attempts,
      initialInterval: durationMs(retry.initial_interval),
      backoffCoefficient: retry.backoff_coefficient,
      maximumInterval: durationMs(retry.max_interval),
      // An action that no worker knows stays unknown; Temporal would retry it for ever.
      nonRetryableErrorTypes: ["NotFoundError"],
    },
  });
  const activity = activities[component.action];
  if (activity === undefined)
    throw ApplicationFailure.nonRetryable(`No action '${component.action}'`);
  return await activity(input);
}

function explainExcess(bytes: number, scheduledBytes: number): string | null {
  if (bytes > MAX_WITH_BYTES) {
    return `The component's resolved input has ${bytes} bytes; ${MAX_WITH_BYTES} are the most.`;
  }
  if (scheduledBytes > MAX_SCHEDULED_BYTES) {
    return `The components that start together have inputs of over ${MAX_SCHEDULED_BYTES} bytes.`;
  }
  return null;
}
