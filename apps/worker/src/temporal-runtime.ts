import { DefaultLogger, type LogLevel, Runtime } from "@temporalio/worker";
import type { Logger } from "@truerun/shared/logger";

/** The parts of an SDK log line that help a reader. The rest repeats the task, secrets in inputs included. */
const KEPT = [
  "workflowId",
  "workflowType",
  "activityId",
  "activityType",
  "attempt",
  "durationMs",
  "taskQueue",
  "state",
];

/**
 * Routes Temporal's own log lines through our logger. Call it once, before anything else of Temporal's worker.
 * The process handles signals itself, so that everything ends in order.
 */
export function installTemporalRuntime(logger: Logger, level: string): void {
  const child = logger.child({ component: "temporal" });
  const temporalLevel = toTemporalLevel(level);
  const bridge = new DefaultLogger(temporalLevel, ({ level: at, message, meta }) => {
    const facts = Object.entries(meta ?? {}).filter(([name]) => KEPT.includes(name));
    const error: unknown = meta?.["error"];
    child[PINO_LEVELS[at]]({ ...Object.fromEntries(facts), ...toCause(error) }, message);
  });
  // What the SDK's native part says goes straight to the console.
  const filter = { core: temporalLevel === "ERROR" ? "ERROR" : "WARN", other: "ERROR" } as const;
  const telemetryOptions = { logging: { filter, console: {} } };
  Runtime.install({ logger: bridge, telemetryOptions, shutdownSignals: [] });
}

/** A failed component or run is ordinary: its message is enough. Anything else keeps its stack. */
function toCause(error: unknown): { cause?: string; err?: unknown } {
  if (error === undefined) return {};
  if (error instanceof Error && error.name === "ApplicationFailure")
    return { cause: error.message };
  return { err: error };
}

const PINO_LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<LogLevel, string>;

function toTemporalLevel(level: string): LogLevel {
  if (level === "trace") return "TRACE";
  if (level === "debug") return "DEBUG";
  // Its INFO tells every state change of a worker; ours says what matters.
  return level === "info" || level === "warn" ? "WARN" : "ERROR";
}
