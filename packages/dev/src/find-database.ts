import type { ToolConfig } from "./config.ts";
import { startMarkOf } from "./processes/orphans.ts";
import { readRuntime } from "./start/runtime-file.ts";
import { StartError } from "./start/start-error.ts";

/**
 * The database that a command works on: the one of DATABASE_URL, else that of the running `npm start`.
 *
 * @throws StartError when there is neither
 */
export async function findDatabaseUrl(config: ToolConfig): Promise<string> {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  const running = await readRuntime(config.DATA_DIR);
  if (running !== null && (await startMarkOf(running.pid)) !== null) return running.databaseUrl;
  throw new StartError(
    `There is no database: DATABASE_URL is not set, and nothing runs with the data in ${config.DATA_DIR}. Set DATABASE_URL, or run npm start (with the same DATA_DIR) first.`,
  );
}
