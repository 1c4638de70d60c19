import { UsageError } from "@truerun/shared/command-line";
import { ConfigurationError } from "@truerun/shared/config";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import { DefinitionFileError } from "./seed/seed-definitions.ts";
import { StartError } from "./start/start-error.ts";

/** What a command prints on stderr before it ends: a message for people, or a stack for a bug. */
export function explainError(error: unknown): string {
  const isForPeople =
    error instanceof StartError ||
    error instanceof ConfigurationError ||
    error instanceof DefinitionFileError ||
    error instanceof UsageError ||
    // This package throws plain Errors while starting things; subclasses come from elsewhere.
    (error instanceof Error && error.constructor === Error);
  if (isForPeople) return error.message;
  if (isDatabaseUnavailable(error)) {
    return "The database does not answer. Does the server of DATABASE_URL, or npm start, run?";
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
