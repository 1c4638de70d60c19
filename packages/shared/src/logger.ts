import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Members that hold secrets wherever they stand; their values never reach a log line. */
const SECRETS = ["authorization", "password", "apiKey", "api_key", "secret", "token"];

/** A logger of JSON lines; one a process, its children carry run and request ids. */
export function createLogger(options: {
  name: string;
  level: string;
  /** Gets the lines instead of standard output, one a call. */
  destination?: { write(line: string): void };
}): Logger {
  const { name, level, destination } = options;
  const settings = {
    name,
    level,
    redact: {
      paths: SECRETS.flatMap((member) => [member, `*.${member}`, `*.headers.${member}`]),
      censor: "[redacted]",
    },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}
