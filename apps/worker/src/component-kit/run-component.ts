// For tests of components: nothing that runs in production imports it.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApplicationFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { parseEnvironment } from "@truerun/shared/config";
import type { Json } from "@truerun/shared/contracts/json";
import { createLogger } from "@truerun/shared/logger";
import type { z } from "zod";
import type { Component } from "../component.ts";
import { toActivity } from "../component-activity.ts";
import { type ComponentsConfig, componentsEnv, toComponentsConfig } from "../components-config.ts";
import type { ResultEnvelope } from "../local-attempt.ts";

/** What an attempt is given. Its idempotency key is `cbwr_test:<stepKey>`. */
export interface AttemptOptions {
  /** The worker's environment, parsed as a worker parses it: `{ SMTP_URL: "smtp://..." }`. */
  env?: Readonly<Record<string, string>>;
  /** 1 (the default) for the first. */
  attempt?: number;
  /** Default `step`. */
  stepKey?: string;
  /** When the step was scheduled, in unix milliseconds. Default: the epoch. */
  scheduledAtMs?: number;
  /** Cancels the step once it aborts. */
  signal?: AbortSignal;
  /** Called with each heartbeat as it is sent, also by attempts that fail. */
  onHeartbeat?: (details: Json | undefined) => void;
  /** Called with each log line as it is written, also by attempts that fail. */
  onLog?: (line: LogLine) => void;
}

/** `input` is what the component's schema takes; `rawInput` anything that a definition might say. */
export type RunOptions<Input extends z.ZodType> = AttemptOptions &
  ({ input: z.input<Input> } | { rawInput: unknown });

/** A line that the component logged, as production writes it: `{ level: 30, msg, stepKey, ... }`. */
export type LogLine = Readonly<Record<string, unknown>> & { level: number; msg?: string };

/** What an attempt that succeeded gives the workflow, and what it did on the way. */
export interface ComponentRun<Output> extends Omit<ResultEnvelope, "output"> {
  output: Output;
  /** Details of each heartbeat; `undefined` for automatic ones before any details were given. */
  heartbeats: (Json | undefined)[];
  logs: LogLine[];
}

/**
 * Runs one attempt of a component in this process, without any server, through the code that runs it in
 * production: its input is parsed, its output checked, turned into JSON and capped.
 *
 * @throws `ApplicationFailure` as Temporal gets it (see {@link failureOf}), or `CancelledFailure` of an
 * attempt that gave way to its signal; a `ConfigurationError` when a worker would not accept `env`
 */
export async function runComponent<Input extends z.ZodType, Output extends z.ZodType>(
  component: Component<Input, Output>,
  options: RunOptions<Input>,
): Promise<ComponentRun<z.output<Output>>> {
  const logs: LogLine[] = [];
  const heartbeats: (Json | undefined)[] = [];
  const activity = toActivity(component, {
    config: toConfig(options.env ?? {}),
    logger: createLogger({
      name: "component-kit",
      level: "trace",
      destination: {
        write(text) {
          const line = JSON.parse(text) as LogLine;
          logs.push(line);
          options.onLog?.(line);
        },
      },
    }),
  });
  const environment = createEnvironment(options);
  environment.on("heartbeat", (details: Json | undefined) => {
    heartbeats.push(details);
    options.onHeartbeat?.(details);
  });
  const given: unknown = "rawInput" in options ? options.rawInput : options.input;
  const envelope = await cancelable(
    environment,
    options.signal,
    (): Promise<ResultEnvelope> => environment.run(activity, given),
  );
  return { ...envelope, output: envelope.output as z.output<Output>, heartbeats, logs };
}

/** The failure of an attempt that must fail; any other end of it is thrown. */
export async function failureOf(work: Promise<ComponentRun<unknown>>): Promise<ApplicationFailure> {
  const error: unknown = await work.then(
    ({ output }) => new Error(`it succeeded with ${JSON.stringify(output)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}

/** What is not set is as in production, except the data folder: nothing may be left in the real one. */
function toConfig(env: Readonly<Record<string, string>>): ComponentsConfig {
  const elsewhere = { DATA_DIR: join(tmpdir(), "truerun-component-kit") };
  return toComponentsConfig(parseEnvironment(componentsEnv, { ...elsewhere, ...env }));
}

function createEnvironment(options: AttemptOptions): MockActivityEnvironment {
  const { attempt, scheduledAtMs, stepKey = "step" } = options;
  return new MockActivityEnvironment(
    {
      activityId: stepKey,
      workflowExecution: { workflowId: "cbwr_test", runId: "temporal-run" },
      ...(attempt === undefined ? {} : { attempt }),
      ...(scheduledAtMs === undefined ? {} : { scheduledTimestampMs: scheduledAtMs }),
    },
    { logger: new DefaultLogger("ERROR") },
  );
}

async function cancelable<T>(
  environment: MockActivityEnvironment,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const cancel = (): void => environment.cancel("CANCELLED");
  if (signal?.aborted === true) cancel();
  signal?.addEventListener("abort", cancel);
  try {
    return await work();
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
