import { resolve } from "node:path";
import {
  databaseEnv,
  type Environment,
  listenEnv,
  parseEnvironment,
  portText,
  temporalEnv,
} from "@truerun/shared/config";
import { z } from "zod";
import { PROJECT_DIR } from "./project-paths.ts";

/** Relative to the project, so that every command means the same folder. */
const dataDir = z
  .string()
  .default(".data")
  .transform((path) => resolve(PROJECT_DIR, path));

const startConfig = z.object({
  ...temporalEnv,
  /** If set, that server is used; otherwise one is started. */
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
  TEMPORAL_ADDRESS: temporalEnv.TEMPORAL_ADDRESS.unwrap().optional(),
  /** No default here: a port that was asked for is never replaced by another. */
  PORT: portText.optional(),
  TEMPORAL_PORT: portText.optional(),
  TEMPORAL_UI_PORT: portText.optional(),
  ...listenEnv,
  DATA_DIR: dataDir,
  TEMPORAL_CLI_PATH: z.string().optional(),
});

/** Configuration of `npm start`. Variables that only the gateway or the worker uses are checked there. */
export type StartConfig = z.output<typeof startConfig>;

/** @throws ConfigurationError listing every variable that is wrong */
export function readStartConfig(environment: Environment = process.env): StartConfig {
  return parseEnvironment(startConfig, environment);
}

const toolConfig = z.object({
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
  DATA_DIR: dataDir,
});

/** Configuration of commands such as `npm run key`. */
export type ToolConfig = z.output<typeof toolConfig>;

/** @throws ConfigurationError listing every variable that is wrong */
export function readToolConfig(environment: Environment = process.env): ToolConfig {
  return parseEnvironment(toolConfig, environment);
}

const exampleConfig = z.object({
  TEMPORAL_ADDRESS: temporalEnv.TEMPORAL_ADDRESS.unwrap().optional(),
  DATA_DIR: dataDir,
});

/** Configuration of `npm run example:python-worker`. @throws ConfigurationError */
export function readExampleConfig(): z.output<typeof exampleConfig> {
  return parseEnvironment(exampleConfig);
}

/** Messages are written to files, so that the examples that send some can complete. */
const WITHOUT_MAIL_SERVER = { SMTP_URL: "outbox:", EMAIL_FROM: "truerun@example.com" };

/**
 * The environment of the gateway and the worker: this process' own, plus what was started for them.
 * Credentials and TLS are for a Temporal elsewhere; the one started here uses neither.
 */
export function toServiceEnvironment(
  given: Readonly<Record<string, string>>,
  options: { embeddedTemporal: boolean },
): NodeJS.ProcessEnv {
  const environment = { ...WITHOUT_MAIL_SERVER, ...process.env, ...given };
  if (!options.embeddedTemporal) return environment;
  const foreign = /^TEMPORAL_(API_KEY|TLS(_.*)?)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}
