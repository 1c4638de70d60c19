import { type CheckResult, checkDefinition } from "../contracts/check-definition.ts";
import type { Database } from "../db.ts";
import { loadCatalogue } from "./load-catalogue.ts";

/** Checks a definition against the actions that the workers have published. */
export async function checkAgainstCatalogue(db: Database, input: unknown): Promise<CheckResult> {
  return checkDefinition(input, await loadCatalogue(db));
}
