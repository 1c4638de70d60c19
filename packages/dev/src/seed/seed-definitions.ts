import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Database } from "@truerun/shared/db";
import { saveDefinition } from "@truerun/shared/definitions/save-definition";
import { parse } from "yaml";

export interface SeedReport {
  /** Names of the definitions that were created or got a new version. */
  saved: string[];
  unchanged: string[];
}

/** A definition file cannot be used; the message lists every fault with its place. */
export class DefinitionFileError extends Error {
  override name = "DefinitionFileError";
}

/**
 * Saves every `<name>.yaml` of a folder as the org's definition of that name. Unchanged ones get no new
 * version.
 *
 * @throws DefinitionFileError for the first file that is not YAML or not a valid definition
 */
export async function seedDefinitions(
  db: Database,
  { orgId, folder }: { orgId: string; folder: string },
): Promise<SeedReport> {
  const report: SeedReport = { saved: [], unchanged: [] };
  const files = (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).sort();
  for (const file of files) {
    const path = join(folder, file);
    const name = basename(file).replace(/\.ya?ml$/, "");
    const input = parseYaml(path, await readFile(path, "utf8"));
    const result = await saveDefinition(db, { orgId, name, input, onlyIfChanged: true });
    if (result.kind === "invalid") {
      const faults = result.faults.map(({ loc, msg }) => `  ${loc.join(".")}: ${msg}`);
      throw new DefinitionFileError(`${path} cannot be used:\n${faults.join("\n")}`);
    }
    (result.kind === "saved" ? report.saved : report.unchanged).push(name);
  }
  return report;
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new DefinitionFileError(
      `${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
