import { createDatabase, type Database } from "@truerun/shared/db";
import { readToolConfig, type ToolConfig } from "./config.ts";
import { explainError } from "./explain-error.ts";
import { findDatabaseUrl } from "./find-database.ts";

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
    process.stderr.write(`${explainError(error)}\n`);
    process.exit(1);
  }
  process.exit(0);
}
