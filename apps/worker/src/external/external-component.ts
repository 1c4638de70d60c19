// A component that another team's worker serves, as declared in `components/external/`.
import {
  DEFAULT_ATTEMPT_TIMEOUT,
  DEFAULT_RETRY,
  type RetryPolicy,
} from "@truerun/shared/contracts/definition";
import {
  attemptTimeoutSchema,
  retryInputSchema,
} from "@truerun/shared/contracts/definition-schema";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { jsonObjectSchema } from "@truerun/shared/contracts/json-schema";
import { type CheckValue, compileSchema } from "@truerun/shared/contracts/schema-faults";
import { z } from "zod";
import { ACTION_PATTERN } from "@truerun/shared/engine/engine-actions";
import { policyFaults } from "../component.ts";

/** A declaration with its defaults filled in, and its schemas compiled. Times are durations such as `30s`. */
export interface ExternalComponent {
  action: string;
  title: string;
  description: string;
  /** The one that its worker polls. */
  taskQueue: string;
  inputSchema: JsonObject;
  outputSchema: JsonObject;
  defaults: {
    timeout: string;
    retry: RetryPolicy;
    /** How long its worker may be silent during an attempt; absent: as long as the attempt may take. */
    heartbeat_timeout?: string;
  };
  checkInput: CheckValue;
  checkOutput: CheckValue;
}

/** What {@link parseExternalComponent} finds wrong; the message has a line for each fault, with its place. */
export class DeclarationError extends Error {
  override name = "DeclarationError";
}

const someText = z.string().trim().min(1);

const declarationSchema = z.strictObject({
  action_type: z.string().max(255).regex(ACTION_PATTERN),
  title: someText,
  description: someText,
  task_queue: someText
    .max(200)
    .refine(
      (name) => !name.startsWith("/_sys/"),
      "names that begin with /_sys/ are Temporal's own",
    ),
  input_schema: jsonObjectSchema,
  output_schema: jsonObjectSchema,
  defaults: z
    .strictObject({
      timeout: attemptTimeoutSchema.default(DEFAULT_ATTEMPT_TIMEOUT),
      retry: retryInputSchema.default({}),
      heartbeat_timeout: attemptTimeoutSchema.exactOptional(),
    })
    .prefault({}),
});

/**
 * @param declared - what the declaration's YAML holds
 * @throws {@link DeclarationError}
 */
export function parseExternalComponent(declared: unknown): ExternalComponent {
  const parsed = declarationSchema.safeParse(declared);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path, message }) => `${z.core.toDotPath(path) || "the file"}: ${message}`,
    );
    throw new DeclarationError(lines.join("\n"));
  }
  const { action_type: action, title, description, defaults } = parsed.data;
  const { input_schema: inputSchema, output_schema: outputSchema } = parsed.data;
  const retry: RetryPolicy = { ...DEFAULT_RETRY, ...defaults.retry };
  const faults = policyFaults(defaults.timeout, retry).map((fault) => `defaults: ${fault}`);
  const checkInput = compileOrNote("input_schema", inputSchema, faults);
  const checkOutput = compileOrNote("output_schema", outputSchema, faults);
  if (faults.length > 0) throw new DeclarationError(faults.join("\n"));
  const taskQueue = parsed.data.task_queue;
  const filled = { ...defaults, retry };
  const about = { action, title, description, taskQueue, inputSchema, outputSchema };
  return { ...about, defaults: filled, checkInput, checkOutput };
}

function compileOrNote(name: string, schema: JsonObject, faults: string[]): CheckValue {
  try {
    return compileSchema(schema);
  } catch (error) {
    faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return () => [];
  }
}
