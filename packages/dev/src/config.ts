import { resolve } from "node:path";
import {
  databaseEnv,
  type Environment,
  listenEnv,
  logEnv,
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
  ...logEnv,
  /** Set: that server is used. Not set: one is started. */
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
  TEMPORAL_ADDRESS: temporalEnv.TEMPORAL_ADDRESS.unwrap().optional(),
  /** No default here: a port that was asked for is not exchanged for another. */
  PORT: portText.optional(),
  TEMPORAL_PORT: portText.optional(),
  TEMPORAL_UI_PORT: portText.optional(),
  ...listenEnv,
  DATA_DIR: dataDir,
  TEMPORAL_CLI_PATH: z.string().optional(),
});

/** What `npm start` goes by. Variables of the gateway and the worker alone are checked by them. */
export type StartConfig = z.output<typeof startConfig>;

/** @throws ConfigurationError listing every variable that is wrong */
export function readStartConfig(environment: Environment = process.env): StartConfig {
  return parseEnvironment(startConfig, environment);
}

const toolConfig = z.object({
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
  DATA_DIR: dataDir,
});

/** What `npm run key` and `npm run seed` go by. */
export type ToolConfig = z.output<typeof toolConfig>;

/** @throws ConfigurationError listing every variable that is wrong */
export function readToolConfig(environment: Environment = process.env): ToolConfig {
  return parseEnvironment(toolConfig, environment);
}

const exampleConfig = z.object({
  TEMPORAL_ADDRESS: temporalEnv.TEMPORAL_ADDRESS.unwrap().optional(),
  DATA_DIR: dataDir,
});

/** What `npm run example:python-worker` goes by. @throws ConfigurationError */
export function readExampleConfig(): z.output<typeof exampleConfig> {
  return parseEnvironment(exampleConfig);
}

/** Messages become files, so that the examples that send some run to their end. */
const WITHOUT_MAIL_SERVER = { SMTP_URL: "outbox:", EMAIL_FROM: "truerun@example.com" };

/**
 * The environment of the gateway and the worker: this process' own, with what was started for them.
 * Credentials and TLS are for a Temporal elsewhere; the one started here speaks neither.
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
