import type { ComponentDefinition } from "../contracts/definition.ts";
import type { Fault } from "../contracts/faults.ts";
import type { Database } from "../db.ts";
import { checkDefinition } from "../contracts/check-definition.ts";
import { loadCatalogue } from "./load-catalogue.ts";

/** A definition whose every default is filled in; its components have no ids yet. */
export interface CheckedDefinition {
  description: string;
  enabled: boolean;
  timeout: string;
  components: Omit<ComponentDefinition, "id">[];
}

/** Checks a definition against the actions that the workers have published. */
export async function checkAgainstCatalogue(
  db: Database,
  input: unknown,
): Promise<{ ok: true; definition: CheckedDefinition } | { ok: false; faults: Fault[] }> {
  return checkDefinition(input, await loadCatalogue(db));
}
