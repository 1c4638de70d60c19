import { readFileSync } from "node:fs";
import { z } from "zod";
import { type EncryptionKey, parseEncryptionKey } from "./payloads/encryption-key.ts";

/** The environment cannot be used. The message lists every variable that is wrong, one per line. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";
}

/** A process environment: texts by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a configuration from the environment, once, at start-up. An empty variable counts as not set.
 *
 * @throws {@link ConfigurationError} naming every variable that is wrong
 */
export function parseEnvironment<T extends z.ZodType>(
  schema: T,
  environment: Environment = process.env,
): z.output<T> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = issue.path.join(".") || "environment";
    const value = given[name];
    const seen = value === undefined ? "is not set" : `is ${describe(name, value)}`;
    return `  ${name} ${seen}: ${issue.message}`;
  });
  throw new ConfigurationError(`The configuration cannot be used:\n${lines.join("\n")}`);
}

function describe(name: string, value: string): string {
  return /KEY|SECRET|PASSWORD|TOKEN|URL/.test(name) ? "set (not shown)" : JSON.stringify(value);
}

const TRUE = new Set(["1", "true", "yes", "on"]);
const FALSE = new Set(["0", "false", "no", "off"]);

/** A switch: `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`. */
export const booleanText = z
  .string()
  .refine((text) => TRUE.has(text.toLowerCase()) || FALSE.has(text.toLowerCase()), {
    message: "expected true or false",
  })
  .transform((text) => TRUE.has(text.toLowerCase()));

/** A whole number between two bounds, both inclusive. */
export function integerText(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, { message });
}

/** A TCP port. */
export const portText = integerText(1, 65_535);

const hostAndPort = z.string().regex(/^(\[[^\]]+\]|[^:\s/]+):\d{1,5}$/, "expected host:port");

const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), {
    message: "expected an http:// or https:// address",
  })
  .transform((text) => text.replace(/\/+$/, ""));

const fileContent = z.string().transform((path, context) => {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.addIssue({
      code: "custom",
      message: `expected the path of a readable file (${reason})`,
    });
    return z.NEVER;
  }
});

const encryptionKeys = z
  .string()
  .transform((text, context): [EncryptionKey, ...EncryptionKey[]] => {
    const keys = text.split(",").map((part) => parseEncryptionKey(part.trim()));
    const [first, ...others] = keys.filter((key) => key !== null);
    if (first !== undefined && others.length === keys.length - 1) return [first, ...others];
    const message = "expected base64 of 32 bytes (openssl rand -base64 32), or several by commas";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** Where the run tables are. */
export const databaseEnv = {
  DATABASE_URL: z
    .string({ error: "expected postgresql://user:password@host:port/database" })
    .regex(/^postgres(ql)?:\/\//, "expected postgresql://user:password@host:port/database"),
};

/** Where Temporal is, and how to connect to it. `TEMPORAL_TLS_*` are paths of PEM files. */
export const temporalEnv = {
  TEMPORAL_ADDRESS: hostAndPort.default("127.0.0.1:7233"),
  TEMPORAL_NAMESPACE: z.string().default("default"),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS: booleanText.optional(),
  TEMPORAL_TLS_CA: fileContent.optional(),
  TEMPORAL_TLS_CERT: fileContent.optional(),
  TEMPORAL_TLS_KEY: fileContent.optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_TASK_QUEUE: z.string().max(200).default("truerun"),
  TEMPORAL_UI_URL: httpUrl.optional(),
  /** Encrypts the values that Temporal keeps: with the first key; all of them decrypt. */
  PAYLOAD_ENCRYPTION_KEY: encryptionKeys.optional(),
};

/** How much a process logs. */
export const logEnv = {
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
};

/** Where a process listens, and the port of its metrics: none unless set. 0 picks a free port. */
export const listenEnv = {
  HOST: z.string().default("127.0.0.1"),
  METRICS_PORT: integerText(0, 65_535).optional(),
};

/** How long a run's dispatch may take before its caller gets 502. */
export const dispatchEnv = {
  DISPATCH_DEADLINE_MS: integerText(100, 60_000).default(5_000),
};
