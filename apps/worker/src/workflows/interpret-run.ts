// (3) The interpreter: the reducer decides what is next, this shell lets Temporal do it.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { RunRequestedEvent } from "@truerun/shared/contracts/run-requested-event";
import { advance, type RunOutcome, type StepState } from "@truerun/shared/engine/advance";
import { compileDefinition } from "@truerun/shared/engine/compile-definition";
import type { ItemSource, ReadyComponent } from "@truerun/shared/engine/prepare-component";
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  patched,
} from "@temporalio/workflow";
import { FAILURE_TYPES } from "./failure-types.ts";
import { runFanOut } from "./fan-out.ts";
import { isScheduled, runStep } from "./run-step.ts";
import { CANCEL_GRACE_MS, createStepContext, type Step, type StepContext } from "./step.ts";
import { explainOversize, MAX_SCHEDULED_BYTES } from "./step-budget.ts";
import { engineOutcome } from "./step-outcome.ts";
import type { StepRecorder } from "./step-recorder.ts";

/** More than a child workflow takes at most to clean up. */
const CHILD_GRACE_MS = 30_000;

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

/** Keeps nothing but what follows from the history, so a replay comes out the same. */
class Interpreter {
  readonly #event: RunRequestedEvent;
  readonly #recorder: StepRecorder;
  readonly #context: StepContext;
  readonly #states = new Map<string, StepState>();
  readonly #activities = new CancellationScope({ cancellable: true });
  #settled = 0;
  #canceled = false;

  constructor(event: RunRequestedEvent, recorder: StepRecorder) {
    this.#event = event;
    this.#recorder = recorder;
    const { input: _input, definition, ...run } = event.data;
    this.#context = createStepContext(run, recorder, definition.components);
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
      hasChange: patched,
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
      for (const { component, message } of decision.refused) this.#refuse(component, message);
      for (const ready of decision.ready) this.#start(ready);
      await condition(() => this.#settled > seen || this.#canceled);
    }
  }

  #start(ready: ReadyComponent): void {
    const { component } = ready;
    this.#states.set(component.key, { status: "running" });
    if (ready.items !== undefined) this.#startFanOut(component, ready.items);
    else if (ready.with === undefined) this.#refuse(component, explainOversize(ready.bytes));
    else this.#startOne({ key: component.key, component, input: ready.with, bytes: ready.bytes });
  }

  #startOne(step: Step): void {
    const { key, component } = step;
    const full = this.#explainNoRoom(step);
    if (full !== null) {
      this.#refuse(component, full);
      return;
    }
    void this.#activities
      .run(() => runStep(step, this.#context))
      .then(({ status, output, message }) => {
        const isSuccess = status === "success";
        this.#settle(
          key,
          isSuccess ? { status, output } : { status: "failed", message: message ?? "" },
        );
      });
  }

  #startFanOut(component: ComponentDefinition, items: ItemSource): void {
    void this.#activities
      .run(() => runFanOut(component, items, this.#context))
      .then((state) => this.#settle(component.key, state));
  }

  /** Null if there is room. Counts the input, which only an activity outside the task is scheduled with. */
  #explainNoRoom(step: Step): string | null {
    const { budget } = this.#context;
    const full = budget.explainFullHistory();
    if (full !== null || !isScheduled(step) || budget.trySchedule(step.bytes)) return full;
    return `The components that start together have inputs of over ${MAX_SCHEDULED_BYTES} bytes.`;
  }

  /** Ends a component that cannot start. */
  #refuse({ key }: ComponentDefinition, message: string): void {
    this.#recorder.close(key, engineOutcome("failed", message));
    this.#settle(key, { status: "failed", message });
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
    const graceMs = this.#context.children > 0 ? CHILD_GRACE_MS : CANCEL_GRACE_MS;
    await condition(() => !this.#isRunning(), graceMs);
    this.#recorder.interrupt(
      `${reason} (The component did not answer within ${graceMs / 1_000} s.)`,
    );
  }

  #result(): RunResult {
    const steps = [...this.#states].map(([key, state]): [string, string] => [key, state.status]);
    return { steps: Object.fromEntries(steps) };
  }
}
