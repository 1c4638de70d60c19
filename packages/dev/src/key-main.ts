// `npm run --silent key -- --org <name>`: prints one new key, and nothing else, on stdout.
import { endWithUsage, UsageError } from "@truerun/shared/command-line";
import { createKey } from "./keys/create-key.ts";
import { type KeyOptions, parseKeyOptions } from "./keys/parse-key-options.ts";
import { runTool } from "./run-tool.ts";

function readOptions(): KeyOptions {
  try {
    return parseKeyOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    endWithUsage(error);
  }
}

const options = readOptions();
await runTool("key", (db) => createKey(db, options));
