// `npm run audit`: finds the database and Temporal, and hands over to the worker's audit.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readToolConfig, toServiceEnvironment } from "./config.ts";
import { explainError } from "./explain-error.ts";
import { findDatabaseUrl, findRunning } from "./find-database.ts";
import { PROJECT_DIR } from "./project-paths.ts";

try {
  // Usage is shown even without a database.
  if (!process.argv.includes("--help")) process.env = await findServices();
  // Runs in this process, so that it has the command's terminal and signals.
  const main = join(PROJECT_DIR, "apps", "worker", "dist", "audit-main.js");
  await import(pathToFileURL(main).href);
} catch (error) {
  process.stderr.write(`${explainError(error)}\n`);
  process.exit(2);
}

/** The audit's environment: what is set, otherwise what belongs to the running `npm start`. */
async function findServices(): Promise<NodeJS.ProcessEnv> {
  const config = readToolConfig();
  const databaseUrl = await findDatabaseUrl(config);
  const running = await findRunning(config);
  const isOfRunning = running?.databaseUrl === databaseUrl;
  const given = process.env["TEMPORAL_ADDRESS"];
  const temporalAddress = given ?? (isOfRunning ? running.temporalAddress : undefined);
  return toServiceEnvironment(
    {
      DATABASE_URL: databaseUrl,
      ...(temporalAddress === undefined ? {} : { TEMPORAL_ADDRESS: temporalAddress }),
    },
    { embeddedTemporal: given === undefined && isOfRunning },
  );
}
