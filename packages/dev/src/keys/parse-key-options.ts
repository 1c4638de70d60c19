import { parseArgs } from "node:util";
import { UsageError } from "../usage-error.ts";
import { API_KEY_SCOPES, type ApiKeyScope, isApiKeyScope } from "@truerun/shared/api-keys";

export interface KeyOptions {
  org: string;
  name: string;
  scopes: ApiKeyScope[];
}

const USAGE = `Usage: npm run --silent key -- --org <name> [--name <label>] [--scopes <scope>,...]
Scopes: ${API_KEY_SCOPES.join(", ")}. Without --scopes the key has none.`;

/** As long as names of workflows: longer ones are mistakes. */
const MAX_NAME_LENGTH = 255;

/** @throws UsageError */
export function parseKeyOptions(args: readonly string[]): KeyOptions {
  const values = parse(args);
  const given = values.scopes?.split(",").map((scope) => scope.trim()) ?? [];
  const unknown = given.filter((scope) => !isApiKeyScope(scope));
  if (unknown.length > 0) throw usageError(`unknown scope: ${unknown.join(", ") || "(empty)"}`);
  return {
    org: checkName("--org", values.org),
    name: checkName("--name", values.name ?? "command line"),
    scopes: [...new Set(given.filter(isApiKeyScope))],
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({ args: [...args], options: { org: text, name: text, scopes: text } }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

function checkName(option: string, name: string | undefined): string {
  if (name === undefined) throw usageError(`${option} is missing`);
  if (name.trim() === "") throw usageError(`${option} is empty`);
  if (name.length > MAX_NAME_LENGTH) {
    throw usageError(`${option} is longer than ${MAX_NAME_LENGTH} characters`);
  }
  return name;
}

function usageError(fault: string): UsageError {
  return new UsageError(`${fault}\n${USAGE}`);
}
