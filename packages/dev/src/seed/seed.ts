import { join } from "node:path";
import type { Database } from "@truerun/shared/db";
import { loadCatalogue } from "@truerun/shared/definitions/load-catalogue";
import { WORKFLOWS_DIR } from "../project-paths.ts";
import { ensureDemoKey } from "./demo-key.ts";
import { ensureOrganization } from "./organization.ts";
import { DefinitionFileError, type SeedReport, seedDefinitions } from "./seed-definitions.ts";

/** The org that the example definitions belong to. */
export const DEMO_ORG = "demo";

export interface Seeded extends SeedReport {
  /** The demo org's key, in clear text. */
  demoKey: string;
  demoKeyFile: string;
}

/**
 * Creates the demo org, its key and the definitions of `workflows/`. Can be repeated: what exists and is
 * unchanged stays as it is.
 *
 * @throws DefinitionFileError when a file is wrong, or no worker has published its actions yet
 */
export async function seed(db: Database, { dataDir }: { dataDir: string }): Promise<Seeded> {
  if ((await loadCatalogue(db)).length === 0) {
    throw new DefinitionFileError(
      "Definitions are checked against the actions that workers publish, and none has yet: start a worker first (npm run worker).",
    );
  }
  const orgId = await ensureOrganization(db, DEMO_ORG);
  const demoKeyFile = join(dataDir, "demo-key");
  const demoKey = await ensureDemoKey(db, orgId, demoKeyFile);
  const report = await seedDefinitions(db, { orgId, folder: WORKFLOWS_DIR });
  return { ...report, demoKey, demoKeyFile };
}
