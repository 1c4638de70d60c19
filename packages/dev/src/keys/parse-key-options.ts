import { API_KEY_SCOPES, type ApiKeyScope, isApiKeyScope } from "@truerun/shared/api-keys";
import { parseCommandLine } from "@truerun/shared/command-line";

export interface KeyOptions {
  org: string;
  name: string;
  scopes: ApiKeyScope[];
}

const USAGE = `Usage: npm run --silent key -- --org <name> [--name <label>] [--scopes <scope>,...]
Scopes: ${API_KEY_SCOPES.join(", ")}. Without --scopes the key has none.`;

/** The same as for workflow names: longer ones are mistakes. */
const MAX_NAME_LENGTH = 255;

const text = { type: "string" } as const;
const options = { org: text, name: text, scopes: text };

/** @throws UsageError */
export function parseKeyOptions(args: readonly string[]): KeyOptions {
  const { values, wrong } = parseCommandLine(args, { usage: USAGE, options });
  const given = values.scopes?.split(",").map((scope) => scope.trim()) ?? [];
  const unknown = given.filter((scope) => !isApiKeyScope(scope));
  if (unknown.length > 0) throw wrong(`unknown scope: ${unknown.join(", ") || "(empty)"}`);
  const checkName = (option: string, name: string | undefined): string => {
    if (name === undefined) throw wrong(`${option} is missing`);
    if (name.trim() === "") throw wrong(`${option} is empty`);
    if (name.length > MAX_NAME_LENGTH) {
      throw wrong(`${option} is longer than ${MAX_NAME_LENGTH} characters`);
    }
    return name;
  };
  return {
    org: checkName("--org", values.org),
    name: checkName("--name", values.name ?? "command line"),
    scopes: [...new Set(given.filter(isApiKeyScope))],
  };
}
