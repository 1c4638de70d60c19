import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Members that hold secrets wherever they stand; their values never reach a log line. */
const SECRETS = new Set(["authorization", "password", "apiKey", "api_key", "secret", "token"]);
/** One of them as it stands in a line of JSON: in a text, its quotes are escaped. */
const SUSPECT = new RegExp(`"(?:${[...SECRETS].join("|")})":`);

/** A logger of JSON lines; one a process, its children carry run and request ids. */
export function createLogger(options: {
  name: string;
  level: string;
  /** Gets the lines instead of standard output, one a call. */
  destination?: { write(line: string): void };
}): Logger {
  const { name, level, destination } = options;
  // Ready lines are looked at: pino's own `redact` takes every object apart, ten times as long as all the rest.
  const settings = { name, level, hooks: { streamWrite: hideSecrets } };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function hideSecrets(line: string): string {
  if (!SUSPECT.test(line)) return line;
  const hide = (name: string, value: unknown) => (SECRETS.has(name) ? "[redacted]" : value);
  return `${JSON.stringify(JSON.parse(line, hide))}\n`;
}
