import { parseArgs, type ParseArgsConfig } from "node:util";

/** A command's arguments cannot be used, or its usage was asked for. The message is for people. */
export class UsageError extends Error {
  override name = "UsageError";
  /** Whether usage was asked for: then nothing is wrong. */
  readonly isHelp: boolean;

  constructor(message: string, { isHelp = false } = {}) {
    super(message);
    this.isHelp = isHelp;
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

export interface Command<T extends Options> {
  /** Shown with `--help`, and after every fault. */
  usage: string;
  options: T;
}

export interface ParsedCommandLine<T extends Options> {
  values: ReturnType<typeof parseArgs<{ args: string[]; options: T }>>["values"];
  /** Makes the error for what is wrong with a value. */
  wrong: (fault: string) => UsageError;
}

/**
 * Reads a command's arguments: options only, and `--help`.
 *
 * @throws UsageError
 */
export function parseCommandLine<T extends Options>(
  args: readonly string[],
  { usage, options }: Command<T>,
): ParsedCommandLine<T> {
  if (args.includes("--help")) throw new UsageError(usage, { isHelp: true });
  const wrong = (fault: string): UsageError => new UsageError(`${fault}\n${usage}`);
  try {
    return { values: parseArgs({ args: [...args], options }).values, wrong };
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/** Ends the process with a command's usage: on stdout if it was asked for, else as a failure. */
export function endWithUsage(error: UsageError, failed = 1): never {
  const out = error.isHelp ? process.stdout : process.stderr;
  out.write(`${error.message}\n`);
  process.exit(error.isHelp ? 0 : failed);
}
