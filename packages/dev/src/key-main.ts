// `npm run key`: prints one new key, and nothing else, on stdout; or lists or revokes keys.
import { endWithUsage, UsageError } from "@truerun/shared/command-line";
import type { Database } from "@truerun/shared/db";
import { createKey } from "./keys/create-key.ts";
import { listKeys } from "./keys/list-keys.ts";
import { type KeyCommand, parseKeyOptions } from "./keys/parse-key-options.ts";
import { revokeKey } from "./keys/revoke-key.ts";
import { runTool } from "./run-tool.ts";

function readCommand(): KeyCommand {
  try {
    return parseKeyOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    endWithUsage(error);
  }
}

async function run(db: Database, command: KeyCommand): Promise<string> {
  switch (command.kind) {
    case "create":
      return await createKey(db, command);
    case "list":
      return await listKeys(db, command.org);
    case "revoke":
      return await revokeKey(db, command.key);
  }
}

const command = readCommand();
await runTool("key", (db) => run(db, command));
