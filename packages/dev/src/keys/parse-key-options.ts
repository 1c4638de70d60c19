import {
  API_KEY_SCOPES,
  type ApiKeyScope,
  isApiKeyScope,
  isWellFormedApiKey,
} from "@truerun/shared/api-keys";
import { parseCommandLine } from "@truerun/shared/command-line";
import { durationMs, isDuration } from "@truerun/shared/contracts/duration";
import { isId } from "@truerun/shared/ids";

/** What to create. */
export interface KeyOptions {
  org: string;
  name: string;
  scopes: ApiKeyScope[];
  /** Milliseconds from now; absent: it does not expire. */
  validForMs?: number;
}

/** What `npm run key` is to do. */
export type KeyCommand =
  | ({ kind: "create" } & KeyOptions)
  | { kind: "list"; org: string }
  /** `key`: its id (`cbak_...`), or its text. */
  | { kind: "revoke"; key: string };

const USAGE = `Usage: npm run --silent key -- --org <name> [--name <label>] [--scopes <scope>,...] [--expires <duration>]
       npm run --silent key -- --org <name> --list
       npm run --silent key -- --revoke <id of a key (see --list), or the key>
Scopes: ${API_KEY_SCOPES.join(", ")}. Without --scopes the key has none. Durations: 12h, 90d.`;

/** The same as for workflow names: longer ones are mistakes. */
const MAX_NAME_LENGTH = 255;

/** A hundred years. */
const LONGEST_MS = durationMs("36500d");

const text = { type: "string" } as const;
const options = {
  org: text,
  name: text,
  scopes: text,
  expires: text,
  list: { type: "boolean" },
  revoke: text,
} as const;

/** @throws UsageError */
export function parseKeyOptions(args: readonly string[]): KeyCommand {
  const { values, wrong } = parseCommandLine(args, { usage: USAGE, options });
  const refuseOthers = (mode: string, allowed: readonly string[]): void => {
    const other = Object.keys(values).find((name) => name !== mode && !allowed.includes(name));
    if (other !== undefined) throw wrong(`--${other} does not go with --${mode}`);
  };
  const checkName = (option: string, name: string | undefined): string => {
    if (name === undefined) throw wrong(`${option} is missing`);
    if (name.trim() === "") throw wrong(`${option} is empty`);
    if (name.length > MAX_NAME_LENGTH) {
      throw wrong(`${option} is longer than ${MAX_NAME_LENGTH} characters`);
    }
    return name;
  };
  const { revoke, expires } = values;
  if (revoke !== undefined) {
    refuseOthers("revoke", []);
    if (isId("cbak", revoke) || isWellFormedApiKey(revoke)) return { kind: "revoke", key: revoke };
    throw wrong("--revoke takes the id of a key (cbak_...) or a key (ak_live_...)");
  }
  const org = checkName("--org", values.org);
  if (values.list === true) {
    refuseOthers("list", ["org"]);
    return { kind: "list", org };
  }
  const given = values.scopes?.split(",").map((scope) => scope.trim()) ?? [];
  const unknown = given.filter((scope) => !isApiKeyScope(scope));
  if (unknown.length > 0) throw wrong(`unknown scope: ${unknown.join(", ") || "(empty)"}`);
  const isUsable =
    expires === undefined || (isDuration(expires) && durationMs(expires) <= LONGEST_MS);
  if (!isUsable) throw wrong(`--expires ${expires} is no duration such as 12h or 90d`);
  return {
    kind: "create",
    org,
    name: checkName("--name", values.name ?? "command line"),
    scopes: [...new Set(given.filter(isApiKeyScope))],
    ...(expires === undefined ? {} : { validForMs: durationMs(expires) }),
  };
}
