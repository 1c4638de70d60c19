// `npm run audit`: checks that the run tables say what Temporal's histories say.
import { endWithUsage, UsageError } from "@truerun/shared/command-line";
import { ConfigurationError } from "@truerun/shared/config";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import { GRPC, hasGrpcCode } from "@truerun/shared/grpc-error";
import { TemporalDeadlineError } from "@truerun/shared/temporal-deadline";
import { audit } from "./audit/audit.ts";
import { createLogger } from "@truerun/shared/logger";
import { installTemporalRuntime } from "./temporal-runtime.ts";
import { parseAuditOptions, readAuditConfig } from "./audit/audit-options.ts";
import { AwayError } from "./unless-away.ts";

/** Exit code when there is no result. 0: nothing differs; 1: something does. */
const FAILED = 2;

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stopping.abort(new Error("Stopped.")));
}

try {
  const options = parseAuditOptions(process.argv.slice(2));
  const config = readAuditConfig();
  installTemporalRuntime(createLogger({ name: "truerun-audit", level: "silent" }), "silent");
  const isRight = await audit({
    ...options,
    config,
    out: process.stdout,
    progress: process.stderr,
    signal: stopping.signal,
  });
  process.exit(isRight ? 0 : 1);
} catch (error) {
  if (error instanceof UsageError) endWithUsage(error, FAILED);
  process.stderr.write(`${explain(error instanceof AwayError ? error.cause : error)}\n`);
  process.exit(FAILED);
}

function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (isTemporalAway(error)) return "Temporal does not answer at TEMPORAL_ADDRESS.";
  if (isDatabaseUnavailable(error)) return "The database of DATABASE_URL does not answer.";
  if (error === stopping.signal.reason) return "Stopped.";
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `The audit failed: ${error.message}${cause}`;
}

/** By gRPC code: UNAVAILABLE's text may be that of any refused connection. */
function isTemporalAway(error: unknown): boolean {
  const isAway = hasGrpcCode(error, [GRPC.DEADLINE_EXCEEDED, GRPC.UNAVAILABLE]);
  return isAway || error instanceof TemporalDeadlineError;
}
