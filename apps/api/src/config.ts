import {
  databaseEnv,
  dispatchEnv,
  type Environment,
  integerText,
  listenEnv,
  logEnv,
  parseEnvironment,
  temporalEnv,
} from "@truerun/shared/config";
import { z } from "zod";

const schema = z.object({
  ...databaseEnv,
  ...temporalEnv,
  ...logEnv,
  ...dispatchEnv,
  ...listenEnv,
  /** 0 picks a free port. */
  PORT: integerText(0, 65_535).default(3_000),
  /** Limit of a request body, decompressed. */
  MAX_BODY_BYTES: integerText(1_024, 64 * 1024 * 1024).default(1024 * 1024),
  /** How long a request may take to arrive, its body included. */
  REQUEST_TIMEOUT_MS: integerText(1_000, 3_600_000).default(60_000),
  /** Requests per second that one key may send to this process; unset: no limit. */
  RATE_LIMIT_PER_KEY: integerText(1, 1_000_000).optional(),
  /** Requests that a key may send in one burst; default: one second's worth. */
  RATE_LIMIT_BURST: integerText(1, 1_000_000).optional(),
  /** Maximum run starts processed at once; further ones wait briefly or get 503. */
  MAX_CONCURRENT_STARTS: integerText(1, 10_000).default(64),
  /** Maximum run starts in the gateway at once, and as many other requests; further ones get 503. */
  MAX_REQUESTS: integerText(2, 100_000).default(2_000),
  /** Maximum connections served; requests on further ones get 503. */
  MAX_CONNECTIONS: integerText(10, 100_000).default(2_000),
  /** Maximum connections of the process: half for run starts, half for everything else. */
  DATABASE_POOL_SIZE: integerText(2, 1_000).default(10),
  /** How long a stopping gateway waits for the requests under way. */
  SHUTDOWN_TIMEOUT_MS: integerText(0, 600_000).default(15_000),
});

export type ApiConfig = z.output<typeof schema>;

/** @throws ConfigurationError listing every variable that is wrong */
export function readConfig(environment?: Environment): ApiConfig {
  return parseEnvironment(schema, environment);
}
