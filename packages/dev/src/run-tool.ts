import { ConfigurationError } from "@truerun/shared/config";
import { createDatabase, type Database, isDatabaseUnavailable } from "@truerun/shared/db";
import { readToolConfig, type ToolConfig } from "./config.ts";
import { findDatabaseUrl } from "./find-database.ts";
import { DefinitionFileError } from "./seed/seed-definitions.ts";
import { StartError } from "./start/start-error.ts";

/**
 * Runs a command on the database, prints what it returns, and ends the process: with 0, or with 1 and
 * the reason on stderr.
 */
export async function runTool(
  name: string,
  work: (db: Database, config: ToolConfig) => Promise<string>,
): Promise<never> {
  try {
    const config = readToolConfig();
    const url = await findDatabaseUrl(config);
    const db = createDatabase({ url, poolSize: 2, applicationName: `truerun-${name}` });
    try {
      process.stdout.write(`${await work(db, config)}\n`);
    } finally {
      await db.$disconnect();
    }
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
  process.exit(0);
}

/** An error that was made to be read needs no stack; any other is a fault of ours. */
function explain(error: unknown): string {
  if (isDatabaseUnavailable(error)) {
    return `The database does not answer. Is the server of DATABASE_URL, or npm start, running?`;
  }
  const isForPeople =
    error instanceof StartError ||
    error instanceof ConfigurationError ||
    error instanceof DefinitionFileError;
  if (isForPeople) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
