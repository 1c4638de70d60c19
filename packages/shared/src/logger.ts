import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Members that hold secrets wherever they stand; their values never reach a log line. */
const SECRETS = ["authorization", "password", "apiKey", "api_key", "secret", "token"];

/** A logger of JSON lines on standard output; one a process, its children carry run and request ids. */
export function createLogger({ name, level }: { name: string; level: string }): Logger {
  return pino({
    name,
    level,
    redact: {
      paths: SECRETS.flatMap((member) => [member, `*.${member}`, `*.headers.${member}`]),
      censor: "[redacted]",
    },
  });
}
