import { ACTION_PATTERN } from "@truerun/shared/engine/engine-actions";
import {
  DEFAULT_ATTEMPT_TIMEOUT,
  DEFAULT_RETRY,
  MAX_LOCAL_TIMEOUT,
  type RetryPolicy,
} from "@truerun/shared/contracts/definition";
import {
  attemptTimeoutSchema,
  retryInputSchema,
} from "@truerun/shared/contracts/definition-schema";
import { durationMs } from "@truerun/shared/contracts/duration";
import { parseOrFaults } from "@truerun/shared/contracts/faults";
import type { Json } from "@truerun/shared/contracts/json";
import type { Artifact } from "@truerun/shared/contracts/statuses";
import type { Logger } from "@truerun/shared/logger";
import { z } from "zod";
import type { ComponentsConfig } from "./components-config.ts";

/** What a component is given for one attempt. */
export interface ComponentContext<Input> {
  /** The step's `with`, its references resolved, as the component's input schema parsed it. */
  input: Input;
  config: ComponentsConfig;
  /** Aborted when the step is canceled or times out, or the worker has to stop. Hand it on. */
  signal: AbortSignal;
  /** Carries run id, step key, action and attempt. */
  log: Logger;
  /** Progress for Temporal Web UI. Needed for nothing else: the attempt heartbeats by itself. */
  heartbeat: (details?: Json) => void;
  /** Run id and step key, equal across attempts. Hand it to the systems that you call. */
  idempotencyKey: string;
  /** 1 for the first. */
  attempt: number;
  /**
   * When the step was scheduled, in unix milliseconds. Equal across attempts, except of a local step that a lost
   * workflow task has begun.
   */
  scheduledAtMs: number;
  run: { id: string };
  stepKey: string;
}

export interface ComponentResult<Output> {
  output: Output;
  /** Entities that the step consumed (`trigger`), or created or changed (`result`). */
  artifacts?: Artifact[];
}

/** What {@link defineComponent} takes. */
export interface ComponentSpec<Input extends z.ZodType, Output extends z.ZodType> {
  /** What definitions name it by; also its Temporal Activity Type and its file's name. */
  action: string;
  title: string;
  description: string;
  input: Input;
  output: Output;
  /** Default duration of one attempt, such as `30s`. A definition may override it. */
  timeout?: string;
  /**
   * `local`: short, and safe to repeat even after it has succeeded. Its first attempt runs inside its run's workflow
   * task, which saves most of what a step costs; several share one task. CONTRIBUTING says what may be repeated
   * when a worker dies. Its attempts take {@link MAX_LOCAL_TIMEOUT} at most; where a definition allows more, or input
   * or result is large, the step runs like any other.
   */
  execution?: "local";
  /** Default retry policy; what is left out is filled in. A definition may override it. */
  retry?: Partial<RetryPolicy>;
  /**
   * Runs one attempt. An error that it throws is retried, unless it is
   * `ApplicationFailure.nonRetryable(message, type)`: throw that where another attempt cannot help.
   */
  run(context: ComponentContext<z.output<Input>>): Promise<ComponentResult<z.input<Output>>>;
}

const BRAND = Symbol.for("truerun.component");

/** A component activity whose defaults are filled in. Made by {@link defineComponent} only. */
export interface Component<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> extends ComponentSpec<Input, Output> {
  readonly [BRAND]: true;
  readonly timeout: string;
  readonly retry: RetryPolicy;
}

/**
 * Defines a component activity; the default export of a file in `components/`.
 *
 * @throws TypeError listing what is wrong with it, so that a bad one stops the worker at start-up
 */
export function defineComponent<Input extends z.ZodType, Output extends z.ZodType>(
  spec: ComponentSpec<Input, Output>,
): Component<Input, Output> {
  const isLocal = spec.execution === "local";
  const timeout = spec.timeout ?? (isLocal ? MAX_LOCAL_TIMEOUT : DEFAULT_ATTEMPT_TIMEOUT);
  const retry = { ...DEFAULT_RETRY, ...spec.retry };
  const faults = [...specFaults(spec), ...policyFaults(timeout, retry)];
  if (isLocal && faults.length === 0 && durationMs(timeout) > durationMs(MAX_LOCAL_TIMEOUT)) {
    faults.push(
      `timeout ${JSON.stringify(timeout)} is over ${MAX_LOCAL_TIMEOUT}, the most of a local one`,
    );
  }
  if (faults.length > 0) {
    throw new TypeError(`Component ${JSON.stringify(spec.action)}: ${faults.join("; ")}`);
  }
  return Object.freeze({ ...spec, timeout, retry, [BRAND]: true as const });
}

/** Whether `value` was made by {@link defineComponent}. */
export function isComponent(value: unknown): value is Component {
  return typeof value === "object" && value !== null && Object.hasOwn(value, BRAND);
}

function specFaults(spec: ComponentSpec<z.ZodType, z.ZodType>): string[] {
  const faults: string[] = [];
  if (!ACTION_PATTERN.test(spec.action)) faults.push(`action must match ${ACTION_PATTERN.source}`);
  if (spec.title.trim() === "") faults.push("title is empty");
  if (spec.description.trim() === "") faults.push("description is empty");
  return faults;
}

const policySchema = z.object({ timeout: attemptTimeoutSchema, retry: retryInputSchema });

/** A default must keep to the limits of definitions. */
export function policyFaults(timeout: string, retry: RetryPolicy): string[] {
  const parsed = parseOrFaults(policySchema, { timeout, retry }, []);
  return "faults" in parsed ? parsed.faults.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`) : [];
}
