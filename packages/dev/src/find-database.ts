import type { ToolConfig } from "./config.ts";
import { startMarkOf } from "./processes/orphans.ts";
import { readRuntime, type Runtime } from "./start/runtime-file.ts";
import { StartError } from "./start/start-error.ts";

/**
 * The database that a command works on: the one of DATABASE_URL, else that of the running `npm start`.
 *
 * @throws StartError when there is neither
 */
export async function findDatabaseUrl(config: ToolConfig): Promise<string> {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  const running = await findRunning(config);
  if (running !== null) return running.databaseUrl;
  throw new StartError(
    `There is no database: DATABASE_URL is not set, and nothing runs with the data in ${config.DATA_DIR}. Set DATABASE_URL, or run npm start (with the same DATA_DIR) first.`,
  );
}

/** The `npm start` that runs with this data folder; null when none does. */
export async function findRunning({
  DATA_DIR,
}: Pick<ToolConfig, "DATA_DIR">): Promise<Runtime | null> {
  const runtime = await readRuntime(DATA_DIR);
  return runtime !== null && (await startMarkOf(runtime.pid)) !== null ? runtime : null;
}
